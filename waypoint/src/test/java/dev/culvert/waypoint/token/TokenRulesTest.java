package dev.culvert.waypoint.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.google.protobuf.TextFormat;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.util.Base64URL;
import dev.culvert.protos.waypoint.JwtRule;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.EdECPublicKey;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// One row, one token, one verdict; and where keys come from.
class TokenRulesTest {
    private static final long NOW = 1_700_000_000;
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(NOW), ZoneOffset.UTC);
    private static final RSAKey RSA = rsa("r1");
    private static final RSAKey OTHER = rsa("r1");
    private static final RSAKey NEXT = rsa("r2");
    private static final ECKey EC = ec();
    private static final String GOOD = "'iss':'i','sub':'s','aud':'office','exp':1700000100";

    private static RSAKey rsa(String id) {
        try {
            return new RSAKeyGenerator(2048).keyID(id).generate();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ECKey ec() {
        try {
            return new ECKeyGenerator(Curve.P_256).keyID("e1").generate();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private record Request(Map<String, List<String>> headers, Map<String, String> cookies, Map<String, String> query)
            implements Carrier {
        static Request bearer(String token) {
            return new Request(Map.of("authorization", List.of("Bearer " + token)), Map.of(), Map.of());
        }

        @Override
        public List<String> header(String name) {
            return headers.getOrDefault(name, List.of());
        }

        @Override
        public Optional<String> cookie(String name) {
            return Optional.ofNullable(cookies.get(name));
        }

        @Override
        public Optional<String> queryParameter(String name) {
            return Optional.ofNullable(query.get(name));
        }
    }

    private static final RemoteKeys NOWHERE = new RemoteKeys(
            (_, _) -> CompletableFuture.failedFuture(new IllegalStateException("nowhere")), System::nanoTime);

    private static TokenRules rules(String more) throws Exception {
        var jwks = new JWKSet(List.of(RSA, EC)).toPublicJWKSet().toString();
        return new TokenRules(List.of(TextFormat.parse("issuer: 'i' " + more, JwtRule.class).toBuilder()
                .setJwks(jwks)
                .build()));
    }

    private static String sign(JWSHeader header, String claims, JWSSigner signer) {
        var token = new JWSObject(header, new Payload("{" + claims.replace('\'', '"') + "}"));
        try {
            token.sign(signer);
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
        return token.serialize();
    }

    private static String by(RSAKey key, String claims) throws JOSEException {
        return sign(
                new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(key.getKeyID()).build(), claims, new RSASSASigner(key));
    }

    private static Verdict check(TokenRules rules, Request request) throws Exception {
        return rules.check(request, NOWHERE, CLOCK).get();
    }

    private static String told(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Refused(var status, var why) -> status + " " + why;
            case Verdict.Passed passed ->
                passed.token() == null ? "nobody" : passed.token().principal();
        };
    }

    // ---- what is said ----

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'iss':'i','sub':'s','aud':'office','exp':1700000100 | i/s",
                "'iss':'i','sub':'s','aud':['x','office'] | i/s",
                "'iss':'i','sub':'s','aud':'office','exp':1699999941 | i/s",
                "'iss':'i','sub':'s','aud':'office','exp':1699999940 | 401 Jwt is expired",
                "'iss':'i','sub':'s','aud':'office','exp':'soon' | 401 Jwt verification fails",
                "'iss':'i','sub':'s','aud':'office','exp':-1 | 401 Jwt verification fails",
                "'iss':'i','sub':'s','aud':'office','exp':null | 401 Jwt verification fails",
                "'iss':'i','sub':'s','aud':'office','exp':1e300 | i/s",
                "'iss':'i','sub':'s','aud':'office','nbf':1700000060 | i/s",
                "'iss':'i','sub':'s','aud':'office','nbf':1700000061 | 401 Jwt not yet valid",
                "'iss':'j','sub':'s','aud':'office' | 401 Jwt issuer is not configured",
                "'iss':['i'],'sub':'s','aud':'office' | 401 Jwt issuer is not configured",
                "'sub':'s','aud':'office' | 401 Jwt issuer is not configured",
                "'iss':'i','sub':'s','aud':'other' | 403 Audiences in Jwt are not allowed",
                "'iss':'i','sub':'s' | 403 Audiences in Jwt are not allowed",
            })
    void claimsAreJudged(String claims, String wanted) throws Exception {
        assertThat(told(check(rules("audiences: 'office'"), Request.bearer(by(RSA, claims)))))
                .isEqualTo(wanted);
    }

    // ---- attacks ----

    @Test
    void withoutASignatureItIsNone() throws Exception {
        var none = Base64URL.encode("{\"alg\":\"none\"}") + "." + Base64URL.encode("{\"iss\":\"i\"}") + ".";
        assertThat(told(check(rules(""), Request.bearer(none)))).startsWith("401 ");
        assertThat(told(check(rules(""), Request.bearer(none.replace(".", "..")))))
                .contains("two dots and 3 sections");
        var mixed = Base64URL.encode("{\"alg\":\"NoNe\"}") + "." + Base64URL.encode("{\"iss\":\"i\"}") + ".AA";
        assertThat(told(check(rules(""), Request.bearer(mixed)))).startsWith("401 ");
        var good = by(RSA, GOOD);
        assertThat(told(check(rules(""), Request.bearer(good.substring(0, good.lastIndexOf('.') + 1)))))
                .startsWith("401 ");
    }

    @Test
    void aPublicKeyIsNoSharedSecret() throws Exception {
        var secret = RSA.toRSAPublicKey().getEncoded();
        var token = sign(new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("r1").build(), GOOD, new MACSigner(secret));
        assertThat(told(check(rules(""), Request.bearer(token))))
                .isEqualTo("401 Jwks doesn't have key to match kid or alg from Jwt");
    }

    @Test
    void anotherKeyOfTheSameIdIsNotTheKey() throws Exception {
        assertThat(told(check(rules(""), Request.bearer(by(OTHER, GOOD))))).isEqualTo("401 Jwt verification fails");
    }

    @Test
    void aKeyInTheTokenIsNoKeyOfOurs() throws Exception {
        var header = new JWSHeader.Builder(JWSAlgorithm.RS256)
                .jwk(OTHER.toPublicJWK())
                .jwkURL(URI.create("http://attacker.test/keys"))
                .build();
        assertThat(told(check(rules(""), Request.bearer(sign(header, GOOD, new RSASSASigner(OTHER))))))
                .isEqualTo("401 Jwt verification fails");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../dev/null", "' OR 1=1", "", "r9"})
    void aKeyIdIsOnlyCompared(String id) throws Exception {
        var header = new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(id).build();
        assertThat(told(check(rules(""), Request.bearer(sign(header, GOOD, new RSASSASigner(RSA))))))
                .isEqualTo("401 Jwks doesn't have key to match kid or alg from Jwt");
    }

    @Test
    void whatMustBeUnderstoodAndIsNotIsRefused() throws Exception {
        var header = new JWSHeader.Builder(JWSAlgorithm.RS256)
                .keyID("r1")
                .criticalParams(Collections.singleton("weather"))
                .customParam("weather", "fine")
                .build();
        assertThat(told(check(rules(""), Request.bearer(sign(header, GOOD, new RSASSASigner(RSA))))))
                .startsWith("401 ");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a | 401 Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
                "a.b.c.d.e | 401 Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
                "a.b.c | 401 Jwt header is an invalid Base64url encoded",
                "!.!.! | 401 Jwt header is an invalid Base64url encoded",
            })
    void whatIsNoTokenIsRefused(String text, String wanted) throws Exception {
        assertThat(told(check(rules(""), Request.bearer(text)))).isEqualTo(wanted);
    }

    @Test
    void tooLongAndTwiceIsRefused() throws Exception {
        assertThat(told(check(rules(""), Request.bearer("a".repeat(20_000) + ".b.c"))))
                .isEqualTo("401 Jwt verification fails");
        var good = by(RSA, GOOD);
        var twice = new Request(Map.of("authorization", List.of("Bearer " + good, "Bearer x")), Map.of(), Map.of());
        assertThat(told(check(rules(""), twice))).isEqualTo("401 Jwt verification fails");
        var basic = new Request(Map.of("authorization", List.of("Basic x", "Bearer " + good)), Map.of(), Map.of());
        assertThat(told(check(rules(""), basic))).isEqualTo("401 Jwt verification fails");
    }

    @Test
    void aGoodTokenInOnePlaceDoesNotCoverABadOneInAnother() throws Exception {
        var both = new Request(
                Map.of("authorization", List.of("Bearer " + by(RSA, GOOD))),
                Map.of(),
                Map.of("access_token", by(OTHER, GOOD)));
        assertThat(told(check(rules(""), both))).isEqualTo("401 Jwt verification fails");
    }

    @Test
    void aChangedClaimBreaksTheSignature() throws Exception {
        var parts = by(RSA, GOOD).split("\\.", -1);
        var changed = parts[0] + "." + Base64URL.encode("{\"iss\":\"i\",\"sub\":\"admiral\"}") + "." + parts[2];
        assertThat(told(check(rules(""), Request.bearer(changed)))).isEqualTo("401 Jwt verification fails");
    }

    // ---- algorithms and places ----

    @Test
    void otherAlgorithmsAreChecked() throws Exception {
        var ec = sign(new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("e1").build(), GOOD, new ECDSASigner(EC));
        assertThat(told(check(rules(""), Request.bearer(ec)))).isEqualTo("i/s");
        var pss = sign(new JWSHeader.Builder(JWSAlgorithm.PS384).keyID("r1").build(), GOOD, new RSASSASigner(RSA));
        assertThat(told(check(rules(""), Request.bearer(pss)))).isEqualTo("i/s");
    }

    @Test
    void ed25519IsChecked() throws Exception {
        var pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        var key = new OctetKeyPair.Builder(Curve.Ed25519, Base64URL.encode(point((EdECPublicKey) pair.getPublic())))
                .keyID("o1")
                .build();
        var rules = new TokenRules(List.of(JwtRule.newBuilder()
                .setIssuer("i")
                .setJwks(new JWKSet(key).toString())
                .build()));
        var input = Base64URL.encode("{\"alg\":\"EdDSA\",\"kid\":\"o1\"}") + "."
                + Base64URL.encode("{\"iss\":\"i\",\"sub\":\"s\"}");
        var signature = Signature.getInstance("Ed25519");
        signature.initSign(pair.getPrivate());
        signature.update(input.getBytes(StandardCharsets.US_ASCII));
        var token = input + "." + Base64URL.encode(signature.sign());
        assertThat(told(check(rules, Request.bearer(token)))).isEqualTo("i/s");
        assertThat(told(check(rules, Request.bearer(input + "." + Base64URL.encode(new byte[64])))))
                .isEqualTo("401 Jwt verification fails");
    }

    /// RFC 8032 §5.1.2.
    private static byte[] point(EdECPublicKey key) throws GeneralSecurityException {
        var big = key.getPoint().getY().toByteArray();
        var little = new byte[32];
        for (var i = 0; i < Math.min(32, big.length); i++) {
            little[i] = big[big.length - 1 - i];
        }
        little[31] |= (byte) (key.getPoint().isXOdd() ? 0x80 : 0);
        return little;
    }

    @Test
    void withoutATokenTheRequestPassesAsNobody() throws Exception {
        assertThat(told(check(rules(""), new Request(Map.of(), Map.of(), Map.of()))))
                .isEqualTo("nobody");
        var basic = new Request(Map.of("authorization", List.of("Basic abc")), Map.of(), Map.of());
        assertThat(told(check(rules(""), basic))).isEqualTo("nobody");
    }

    @Test
    void tokensAreFoundWhereTheRuleSaysAndSpentUnlessForwarded() throws Exception {
        var rules =
                rules("places {header: 'x-pass' prefix: 'Pass '} places {cookie: 'pass'} payload_header: 'x-payload'"
                        + " claim_headers {header: 'x-deep' claim: 'a' claim: 'b'}");
        var token = by(RSA, GOOD + ",'a':{'b':[1,true]}");
        var passed = (Verdict.Passed) check(
                rules, new Request(Map.of("x-pass", List.of("Pass " + token)), Map.of(), Map.of()));
        assertThat(passed.spent()).extracting(Place::name).containsExactly("x-pass");
        assertThat(passed.said())
                .extracting(Verdict.Said::header, Verdict.Said::value)
                .contains(tuple("x-deep", "1,true"));
        assertThat(rules.ownHeaders()).containsExactlyInAnyOrder("x-payload", "x-deep");
        assertThat(told(check(rules, new Request(Map.of(), Map.of("pass", token), Map.of()))))
                .isEqualTo("i/s");
        assertThat(told(check(rules, Request.bearer(token)))).isEqualTo("nobody");
        assertThat(((Verdict.Passed) check(rules("forward: true"), Request.bearer(token))).spent())
                .isEmpty();
    }

    @Test
    void scopesAreListsWrittenAsOneText() throws Exception {
        var passed = (Verdict.Passed) check(rules(""), Request.bearer(by(RSA, GOOD + ",'scope':'a b'")));
        assertThat(passed.token()).isNotNull();
        assertThat(Objects.requireNonNull(passed.token()).claim(List.of("scope")))
                .containsExactly("a", "b");
        assertThat(Objects.requireNonNull(passed.token()).claim(List.of("scope", "a")))
                .isEmpty();
    }

    // ---- keys that are fetched ----

    @Test
    void keysAreFetchedOnceAndAgainForAnUnknownIdAndKeptWhileTheServerIsDown() throws Exception {
        var served = new AtomicReference<@Nullable String>(
                new JWKSet(RSA).toPublicJWKSet().toString());
        var fetched = new AtomicInteger();
        var time = new AtomicLong(1_000_000_000_000L);
        var remote = new RemoteKeys(
                (_, _) -> {
                    fetched.incrementAndGet();
                    var text = served.get();
                    return text == null
                            ? CompletableFuture.failedFuture(new IllegalStateException("down"))
                            : CompletableFuture.completedFuture(text);
                },
                time::get);
        var rules = new TokenRules(List.of(JwtRule.newBuilder()
                .setIssuer("i")
                .setJwksUri("http://keys.test/jwks.json")
                .build()));
        var old = Request.bearer(by(RSA, GOOD));
        var fresh = Request.bearer(by(NEXT, GOOD));
        var told = new ArrayList<String>();
        for (var i = 0; i < 3; i++) {
            told.add(told(rules.check(old, remote, CLOCK).get()));
        }
        assertThat(told).containsOnly("i/s");
        assertThat(fetched).hasValue(1);
        served.set(new JWKSet(List.of(RSA, NEXT)).toPublicJWKSet().toString());
        assertThat(told(rules.check(fresh, remote, CLOCK).get())).startsWith("401 Jwks doesn't have key");
        assertThat(fetched).as("not all the time").hasValue(1);
        time.addAndGet(2_000_000_000L);
        assertThat(told(rules.check(fresh, remote, CLOCK).get())).isEqualTo("i/s");
        assertThat(fetched).hasValue(2);
        served.set(null);
        time.addAndGet(3_600_000_000_000L);
        assertThat(told(rules.check(old, remote, CLOCK).get())).isEqualTo("i/s");
        assertThat(told(rules.check(fresh, remote, CLOCK).get())).isEqualTo("i/s");
    }

    @Test
    void withoutKeysEveryTokenIsRefused() throws Exception {
        var rules = new TokenRules(List.of(JwtRule.newBuilder()
                .setIssuer("i")
                .setJwksUri("http://keys.test/jwks.json")
                .build()));
        assertThat(told(rules.check(Request.bearer(by(RSA, GOOD)), NOWHERE, CLOCK)
                        .get()))
                .isEqualTo("401 Jwks remote fetch is failed");
        var broken = new TokenRules(List.of(
                JwtRule.newBuilder().setIssuer("i").setJwks("{\"keys\": 7}").build()));
        assertThat(told(check(broken, Request.bearer(by(RSA, GOOD))))).startsWith("401 ");
    }

    @Test
    void theDiscoveryDocumentSaysWhereKeysAre() throws Exception {
        var asked = new ArrayList<String>();
        var remote = new RemoteKeys(
                (uri, _) -> {
                    asked.add(uri.toString());
                    return CompletableFuture.completedFuture(
                            uri.getPath().startsWith("/.well-known")
                                    ? "{\"jwks_uri\":\"https://issuer.test/keys\"}"
                                    : new JWKSet(RSA).toPublicJWKSet().toString());
                },
                System::nanoTime);
        var rules = new TokenRules(
                List.of(JwtRule.newBuilder().setIssuer("https://issuer.test/").build()));
        var token = by(RSA, "'iss':'https://issuer.test/','sub':'s'");
        assertThat(told(rules.check(Request.bearer(token), remote, CLOCK).get()))
                .isEqualTo("https://issuer.test//s");
        assertThat(asked)
                .containsExactly("https://issuer.test/.well-known/openid-configuration", "https://issuer.test/keys");
    }
}
