package dev.culvert.agent.kube;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ControlGroupTest {
    private static final String UID = "0123456789ab4cdef0120123456789ab";

    enum Row {
        CGROUPFS("12:pids:/kubepods/besteffort/pod01234567-89ab-4cde-f012-0123456789ab/0badc0de\n", true),
        GUARANTEED("0::/kubepods/pod01234567-89ab-4cde-f012-0123456789ab/0badc0de\n", true),
        SYSTEMD(
                "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod01234567_89ab_4cde_f012_0123456789ab.slice"
                        + "/cri-containerd-0badc0de.scope\n",
                true),
        SYSTEMD_AS_ONE_NAME(
                "1:name=systemd:/system.slice/containerd.service/kubepods-pod01234567_89ab_4cde_f012_0123456789ab.slice:cri-containerd:0bad\n",
                true),
        STATIC_POD("0::/kubepods/burstable/pod0123456789ab4cdef0120123456789ab/0badc0de\n", true),
        FROM_A_CGROUP_NAMESPACE("0::/../../pod01234567-89ab-4cde-f012-0123456789ab/0badc0de\n", true),
        SEVERAL_HIERARCHIES(
                "2:cpu:/kubepods/pod01234567-89ab-4cde-f012-0123456789ab/1\n1:name=systemd:/kubepods/pod01234567-89ab-4cde-f012-0123456789ab/1\n",
                true),
        TWO_PODS(
                "2:cpu:/kubepods/pod01234567-89ab-4cde-f012-0123456789ab/1\n1:name=systemd:/kubepods/podffffffff-89ab-4cde-f012-0123456789ab/1\n",
                false),
        NAME_THAT_LOOKS_ALIKE("0::/user.slice/mypod01234567-89ab-4cde-f012-0123456789ab/1\n", false),
        TOO_LONG("0::/kubepods/pod01234567-89ab-4cde-f012-0123456789abcd/1\n", false),
        NO_POD("0::/system.slice/kubelet.service\n", false),
        NOTHING("", false);

        final String file;
        final boolean isPod;

        Row(String file, boolean isPod) {
            this.file = file;
            this.isPod = isPod;
        }
    }

    @ParameterizedTest
    @EnumSource
    void processesTellTheirPod(Row row) {
        assertThat(ControlGroup.podOf(row.file)).isEqualTo(row.isPod ? Optional.of(UID) : Optional.empty());
    }
}
