package dev.culvert.waypoint.http;

import dev.culvert.waypoint.token.TokenRules;
import dev.culvert.waypoint.token.Verdict;
import java.time.Clock;

/// Whether a request may come in: first its tokens, which may have to wait for keys, then the policies. Confined to
/// its loop.
final class Admission {
    private final Exchange exchange;
    private final Inner inner;
    private final RequestHead request;

    Admission(Exchange exchange, RequestHead request) {
        this.exchange = exchange;
        this.inner = exchange.inner();
        this.request = request;
    }

    void begin() {
        var tokens = inner.service(inner.serving().configs().current()).tokens();
        if (tokens.isEmpty()) {
            authorise();
        } else if (request.isPreflight()) {
            authenticated(tokens, Verdict.WITHOUT_TOKEN);
        } else {
            authenticate(tokens);
        }
    }

    private void authenticate(TokenRules tokens) {
        var checked = tokens.check(request, inner.serving().keys(), Clock.systemUTC());
        if (checked.isDone()) {
            authenticated(tokens, checked.join());
        } else {
            checked.thenAcceptAsync(
                    verdict -> authenticated(tokens, verdict), inner.worker().loop());
        }
    }

    private void authenticated(TokenRules tokens, Verdict verdict) {
        if (exchange.isOver()) {
            return;
        }
        switch (verdict) {
            case Verdict.Passed passed -> {
                request.authenticated(passed, tokens.ownHeaders());
                // A claim in a header says nothing that only the tunnel may say.
                request.sanitise(inner.caller(), inner.serving().self().toString(), _ -> {});
                if (passed.untilSeconds() != Verdict.FOR_EVER) {
                    inner.worker().tickLater();
                }
                authorise();
            }
            case Verdict.Refused(var status, var why) -> exchange.unauthenticated(status, why);
        }
    }

    private void authorise() {
        var now = inner.service(inner.serving().configs().current());
        var decision = now.policies().decide(inner.caller(), request);
        exchange.record().told(now.policies().told(inner.caller(), request));
        if (!decision.allowed()) {
            exchange.denied("rbac_access_denied_matched_policy", decision);
            return;
        }
        exchange.route(request, inner.port(now).routes().of(request.authority()));
    }
}
