#!/usr/bin/env bash
# Makes sure that a Chromium is there for the browser tests: the machine's own, Playwright's, or Debian's.
set -uo pipefail

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  command -v "$name" > /dev/null && exit 0
done
playwright install chromium && exit 0
if command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium && exit 0
fi
echo "The browser tests need Chromium: install it (on Debian: apt-get install chromium) and run this again." >&2
exit 1
