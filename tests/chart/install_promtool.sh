#!/usr/bin/env bash
# Installs promtool, Prometheus' own checker of rules, where this machine has none: install_promtool.sh FOLDER
#
# Out of Debian's package, which is not installed: it would start a Prometheus. Where that cannot be had, FOLDER/promtool.unsupported
# says why, and the test of when alerts fire skips with that reason.
set -euo pipefail
folder=$1

rm -f "$folder/promtool.unsupported"
command -v promtool > /dev/null && exit 0
unsupported() {
  echo "$1" | tee "$folder/promtool.unsupported" >&2
  exit 0
}
mkdir -p "$folder"
command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null || unsupported "promtool comes out of Debian's package here, and this is no Debian: install Prometheus."
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
chmod 755 "$package"
cd "$package"
download() { apt-get download -qq prometheus &> log; }
download || { [ "$(id -u)" = 0 ] && apt-get update -qq && download; } || unsupported "promtool could not be downloaded: $(tail -n 1 log)"
dpkg-deb --fsys-tarfile prometheus_*.deb | tar --extract --to-stdout ./usr/bin/promtool > promtool
chmod +x promtool
mv promtool "$folder/promtool"
