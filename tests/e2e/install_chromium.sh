#!/bin/sh
# Makes sure there is a Chromium for the browser tests. Does nothing where one is; in CI its absence is a failure.
set -u
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo -n"
fi
if command -v apt-get >/dev/null 2>&1; then
  echo "Installing Chromium for the browser tests ..."
  if $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null; then
    exit 0
  fi
fi
echo "No Chromium found, and it could not be installed: browser tests will be skipped."
echo "Install it by your system's packages (Debian: sudo apt-get install chromium)."
[ "${CI:-}" != "true" ]
