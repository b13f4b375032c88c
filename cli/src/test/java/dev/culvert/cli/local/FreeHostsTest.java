package dev.culvert.cli.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class FreeHostsTest {
    private final FreeHosts hosts = new FreeHosts();

    @Test
    void podsMayComeAndGoWithoutEnd() throws Exception {
        var stays = hosts.take();
        for (var pod = 0; pod < 1000; pod++) {
            var host = hosts.take();
            assertThat(host).isNotEqualTo(stays).isBetween(3, 250);
            hosts.free(host);
        }
    }

    @Test
    void whatIsFreedIsTakenLast() throws Exception {
        var first = hosts.take();
        hosts.free(first);
        for (var other = first + 1; other <= FreeHosts.LAST; other++) {
            assertThat(hosts.take()).isEqualTo(other);
        }
        assertThat(hosts.take()).isEqualTo(first);
        assertThatThrownBy(hosts::take).isInstanceOf(MissingException.class).hasMessageContaining("248 addresses");
    }
}
