# Sourced by ./culvert and ./mvnw: finds a JDK 25 (exported as JAVA_HOME) and the network tools, installs what the
# distribution has when run as root, and otherwise names what is missing with the command that installs it.

culvert_is_jdk25() { [ -x "$1/bin/javac" ] && grep -qs '^JAVA_VERSION="25' "$1/release"; }

culvert_find_jdk25() {
  for candidate in "${CULVERT_JDK:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* "$HOME"/.jdks/* "$HOME"/.sdkman/candidates/java/* /opt/*jdk*; do
    if [ -n "$candidate" ] && culvert_is_jdk25 "$candidate"; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

culvert_apt() { # apt PACKAGE...: true if the packages were installed
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  echo "culvert: installing $*" >&2
  { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
    || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; }; } >/dev/null 2>&1
}

culvert_missing=0
PATH="$PATH:/usr/sbin:/sbin"
export PATH

culvert_packages=
command -v nft >/dev/null 2>&1 || culvert_packages="$culvert_packages nftables"
command -v ip >/dev/null 2>&1 || culvert_packages="$culvert_packages iproute2"
command -v unshare >/dev/null 2>&1 || culvert_packages="$culvert_packages util-linux"
[ -z "${CULVERT_TESTS-}" ] || command -v iptables-nft >/dev/null 2>&1 || culvert_packages="$culvert_packages iptables"
if [ -n "$culvert_packages" ] && ! culvert_apt $culvert_packages; then
  echo "culvert: missing:$culvert_packages. Install with: sudo apt-get install$culvert_packages" >&2
  culvert_missing=1
fi

CULVERT_JDK=$(culvert_find_jdk25) || {
  if culvert_apt openjdk-25-jdk-headless; then CULVERT_JDK=$(culvert_find_jdk25) || CULVERT_JDK=; else CULVERT_JDK=; fi
}
if [ -z "$CULVERT_JDK" ]; then
  echo "culvert: missing: a JDK 25. Install with: sudo apt-get install openjdk-25-jdk-headless (Debian 13 or later), or temurin-25-jdk from Adoptium's Debian packages, or set JAVA_HOME to one" >&2
  culvert_missing=1
fi
[ "$culvert_missing" = 0 ] || exit 3
JAVA_HOME=$CULVERT_JDK
export CULVERT_JDK JAVA_HOME
