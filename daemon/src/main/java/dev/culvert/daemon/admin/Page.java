package dev.culvert.daemon.admin;

/// Answers requests for one path. Called on a virtual thread for each request; may block.
@FunctionalInterface
public interface Page {
    Response answer(Request request) throws Exception;
}
