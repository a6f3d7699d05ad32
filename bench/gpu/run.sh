#!/usr/bin/env bash
# Runs the GPU kit on a bare Linux machine: bash run.sh OUT [--quick] [--only part,part]
# Wants coreutils and xz, or Python in place of xz; PyTorch, if it is there, is measured too. Each part has a time limit and
# writes OUT/part.json by itself, so what is measured is kept whatever happens to the rest.
set -uo pipefail
kit=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: bash run.sh OUT [--quick] [--only part,part]}
shift
quick=
only=
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=--quick ;;
    --only) only=,${2:?--only takes names of parts}, && shift ;;
    *) echo "run.sh takes --quick and --only, got $1" >&2 && exit 2 ;;
  esac
  shift
done
mkdir -p "$out"
out=$(cd "$out" && pwd)
log=$out/log.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
begin=$SECONDS

say() {
  echo "== $*" | tee -a "$log"
}

# Files of the kit end in .xz where that makes them smaller.
unpack() {
  if command -v xz >/dev/null; then
    xz -dc "$1" >"$2"
  else
    python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], "wb"))' "$1" "$2"
  fi
}

for file in node webgpu/dawn.node mnist/train-images-idx3-ubyte mnist/train-labels-idx1-ubyte; do
  mkdir -p "$(dirname "$work/$file")"
  unpack "$kit/$file.xz" "$work/$file" || exit 1
done
chmod +x "$work/node"
cp "$kit/webgpu/index.js" "$kit/webgpu/package.json" "$work/webgpu/"
cp -r "$kit/parts" "$work/parts"
# Vulkan's loader, where the machine has none of its own. The driver is the machine's.
export LD_LIBRARY_PATH="$kit/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
nvidia=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -e $nvidia ] && [ ! -e /usr/share/vulkan/icd.d/nvidia_icd.json ] && [ ! -e /etc/vulkan/icd.d/nvidia_icd.json ]; then
  export VK_DRIVER_FILES=$nvidia
fi

status=0
# part NAME SECONDS COMMAND...
part() {
  local name=$1 limit=$2 started=$SECONDS
  shift 2
  if [ -n "$only" ] && [ "${only/,$name,/}" = "$only" ]; then return; fi
  timeout -k 5 "$limit" "$@" 2>&1 | tee -a "$log"
  local rc=${PIPESTATUS[0]}
  [ "$rc" = 0 ] || status=1
  say "$name ended with status $rc after $((SECONDS - started)) s of $limit; $((SECONDS - begin)) s in all"
}

js() {
  local name=$1 limit=$2
  shift 2
  part "$name" "$limit" "$work/node" "$work/parts/$name.js" --kit "$work" --out "$out/$name.json" $quick "$@"
}

js adapter 30
cores=$(nproc)
part tests 100 "$work/node" "$kit/tests/main.js" --webgpu "$work/webgpu/index.js" --mnist "$work/mnist" \
  --json "$out/tests.json" --limit-ms 90000 --jobs $((cores < 16 ? (cores + 1) / 2 : 8)) ${quick:+--only matmul,shared,dense}
js steps 60
js kernels 60
js sweep ${SWEEP_SECONDS:-90}
if python3 -c 'import torch' 2>/dev/null; then
  part torch 75 python3 "$kit/torch_step.py" --json "$out/torch.json"
else
  say "torch: not here"
fi
js peers 90
say "all parts ended after $((SECONDS - begin)) s"
exit $status
