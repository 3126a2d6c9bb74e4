#!/usr/bin/env bash
# Installs what the chart's checks need into FOLDER, where the machine lacks it: install.sh FOLDER
set -euo pipefail
folder=$1
here=$(dirname "${BASH_SOURCE[0]}")

bash "$here/../../charts/install_helm.sh" "$folder/bin"
bash "$here/install_promtool.sh" "$folder/bin"
# Types of custom resources. Of KServe's package only these are wanted, not the serving framework that it brings.
(cd "$here/types" && npm ci --ignore-scripts --loglevel=error)
rm -rf "$folder/kserve-sdk"
uv pip install --quiet --no-deps --target "$folder/kserve-sdk" kserve==0.20.0
