#!/usr/bin/env bash
# Installs Triton Inference Server in an environment of its own: install.sh HOME PYTHON
#
# Where this machine cannot run it, HOME/unsupported says why, and the tests that need it skip with that reason.
set -euo pipefail
home=$1 python=$2

unsupported() {
  mkdir -p "$home"
  echo "$1" | tee "$home/unsupported" >&2
  exit 0
}

rm -rf "$home"
[ "$(uname -s)" = Linux ] || unsupported "Triton runs on Linux; this is $(uname -s)."
case $(uname -m) in
  x86_64 | aarch64) ;;
  *) unsupported "Triton is built for x86_64 and aarch64; this is $(uname -m)." ;;
esac
libc=$(getconf GNU_LIBC_VERSION 2> /dev/null || echo "another C library")
printf 'glibc 2.35\n%s\n' "$libc" | sort --version-sort --check=quiet || unsupported "Triton needs glibc 2.35 or newer; this is $libc."

# numpy 1 has no wheels for Python 3.13.
"$python" -c 'import sys; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})' || python='>=3.11,<3.13'
uv python find "$python" &> /dev/null || unsupported "Triton's Python backend needs Python 3.11 or 3.12; there is none on the PATH."
uv venv --quiet --python "$python" "$home"
uv pip install --quiet --python "$home/bin/python" --no-deps --requirement "$(dirname "${BASH_SOURCE[0]}")/requirements.txt"

version=$("$home/bin/python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
libraries=$("$home/bin/python" -c 'import sys; print(sys.base_prefix + "/lib")')
stub=$home/lib/python$version/site-packages/pytriton/tritonserver/python_backend_stubs/$version/triton_python_backend_stub
lacks_python() {
  LD_LIBRARY_PATH=$libraries ldd "$stub" | grep --quiet 'libpython.* not found'
}
if lacks_python && command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "libpython$version" || true
fi
if lacks_python; then
  echo "Triton needs Python $version's shared library: install it (on Debian: apt-get install libpython$version), and run this again." >&2
  exit 1
fi
