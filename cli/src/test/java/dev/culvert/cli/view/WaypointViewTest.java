package dev.culvert.cli.view;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

/// What is shown of a dump.
final class WaypointViewTest {
    private static final String DUMP = """
            {"identity": "spiffe://cluster.local/ns/shop/sa/door-culvert",
             "gateway": {"namespace": "shop", "name": "door",
               "ports": [{"number": 80, "listeners": [{"name": "web", "hosts": [
                   {"routes": [{"name": "away", "redirect": {"status": 301}}]}]}]},
                 {"number": 443, "tls": true, "listeners": [{"name": "secure", "hostname": "*.example", "hosts": [
                   {"host": "shop.example", "routes": [{"name": "r", "matches": [{"path": {"prefix": "/a"}}],
                     "forward": {"backends": [{"hostname": "cart.shop", "port": 80, "weight": 1}]}}]}]}]}],
               "policies": [{"namespace": "shop", "name": "nobody", "action": "DENY", "rules": [{}]}]},
             "services": [{"namespace": "shop", "hostname": "cart.shop", "ports": [{"number": 80, "protocol": "HTTP1",
               "routes": [{"name": "s", "directResponse": {"status": 200}}]}],
               "policies": [{"namespace": "shop", "name": "some", "rules": [{}, {}]}]}],
             "clusters": []}
            """;

    private static String printed(Table table) {
        return table.text().replaceAll(" +", " ");
    }

    private static WaypointView view() throws Exception {
        return new WaypointView(new ObjectMapper().readTree(DUMP));
    }

    @Test
    void routesAreThoseOfServicesAndOfListeners() throws Exception {
        assertThat(printed(view().routesTable()))
                .contains("cart.shop 80 HTTP1 s * answer 200")
                .contains("* (web) 80 HTTP away * redirect 301")
                .contains("shop.example (secure) 443 HTTPS r prefix /a cart.shop:80");
        assertThat(view().routes().get(1).path("gateway").asText()).isEqualTo("shop/door");
    }

    @Test
    void policiesAreThoseOfServicesAndOfTheGateway() throws Exception {
        assertThat(printed(view().policiesTable()))
                .contains("shop some ALLOW 2 cart.shop")
                .contains("shop nobody DENY 1 gateway shop/door");
        assertThat(view().policies()).hasSize(2);
    }
}
