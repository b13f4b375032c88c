package dev.culvert.agent.rules;

/// One rule of a chain, with its reason, which becomes the rule's comment.
record Rule(String chain, String match, String action, String why) {
    private static final int COMMENT_BYTES = 127;

    Rule {
        if (why.length() > COMMENT_BYTES || why.indexOf('"') >= 0) {
            throw new IllegalArgumentException("not a comment for nft: " + why);
        }
    }

    String text() {
        var matched = match.isEmpty() ? "" : match + " ";
        return "%s %scounter %s comment \"%s\"".formatted(chain, matched, action, why);
    }
}
