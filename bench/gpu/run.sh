#!/usr/bin/env bash
# Runs the GPU kit on a bare Linux machine: bash run.sh OUT [--quick] [--only part,part]
# Wants bash, coreutils and xz, or Python in place of xz. PyTorch, if it is there, is measured too. Each part has a time
# limit, and all have one together (TOTAL_SECONDS, 390). A part writes OUT/part.json again and again, so what it measured is
# kept whatever happens to it or to the rest. OUT/log.txt has what the parts print.
set -uo pipefail
usage="usage: bash run.sh OUT [--quick] [--only part,part]"
kit=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?$usage}
shift
quick=
only=
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=--quick ;;
    --only) only=,${2:?--only takes names of parts}, && shift ;;
    *) echo "$usage, got $1" >&2 && exit 2 ;;
  esac
  shift
done
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
log=$out/log.txt
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
begin=$SECONDS
total=${TOTAL_SECONDS:-390}

say() {
  echo "== $*" | tee -a "$log"
}

# Files of the kit end in .xz where that makes them smaller.
unpack() {
  if command -v xz >/dev/null; then
    xz -dc "$1" >"$2"
  elif command -v python3 >/dev/null; then
    python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], "wb"))' "$1" "$2"
  else
    echo "The kit is unpacked by xz or by python3; this machine has neither." >&2
    return 1
  fi
}

for file in node webgpu/dawn.node mnist/train-images-idx3-ubyte mnist/train-labels-idx1-ubyte; do
  mkdir -p "$(dirname "$work/$file")"
  unpack "$kit/$file.xz" "$work/$file" || exit 1
done
chmod +x "$work/node"
cp "$kit/webgpu/index.js" "$kit/webgpu/package.json" "$work/webgpu/"
cp -r "$kit/parts" "$work/parts"
# npm run gpu:tables reads this line.
say "run {\"date\":\"$(date -u +%F)\",\"quick\":$([ -n "$quick" ] && echo true || echo false),\"kit\":$(cat "$kit/kit.json")}"

# NVIDIA's driver in a container can lie where no loader looks.
nvidia=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
if [ -z "${VK_DRIVER_FILES:-}" ] && [ -e $nvidia ] && [ ! -e /usr/share/vulkan/icd.d/nvidia_icd.json ] && [ ! -e /etc/vulkan/icd.d/nvidia_icd.json ]; then
  export VK_DRIVER_FILES=$nvidia
fi

status=0
wanted() {
  [ -z "$only" ] || [ "${only/,$1,/}" != "$only" ]
}

# part NAME SECONDS COMMAND...
part() {
  local name=$1 limit=$2 left=$((total - (SECONDS - begin))) started=$SECONDS from rc=0
  shift 2
  wanted "$name" || return 0
  # A rehearsal may be on a machine without a GPU.
  [ -z "$quick" ] || limit=$((2 * limit))
  limit=$((limit < left ? limit : left))
  if [ "$limit" -lt 5 ]; then
    say "$name was left out: $((SECONDS - begin)) of $total s are over"
    status=1
    return
  fi
  # To the file, not through a pipe: a process that a part leaves behind would keep a pipe open.
  from=$(($(stat -c %s "$log") + 1))
  timeout -k 5 "$limit" "$@" >>"$log" 2>&1 </dev/null || rc=$?
  tail -c "+$from" "$log"
  [ "$rc" = 0 ] || status=1
  say "$name ended with status $rc after $((SECONDS - started)) s of $limit; $((SECONDS - begin)) s in all"
}

# Node and the parts, with the kit's loader of Vulkan before the machine's. The driver is the machine's.
kit_node() {
  local name=$1 limit=$2
  shift 2
  part "$name" "$limit" env "LD_LIBRARY_PATH=$kit/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$work/node" "$@"
}

js() {
  kit_node "$1" "$2" "$work/parts/$1.js" --kit "$work" --out "$out/$1.json" $quick
}

# What matters less comes later, and has what time is left.
js adapter 20
cores=$(nproc)
jobs=$((cores < 16 ? (cores + 1) / 2 : 8))
kit_node tests 90 "$kit/tests/main.js" --webgpu "$work/webgpu/index.js" --mnist "$work/mnist" \
  --json "$out/tests.json" --limit-ms 80000 --jobs "$jobs" ${quick:+--only matmul,shared,dense}
js steps 70
js kernels 60
[ ! -e "$kit/parts/peers.js" ] || js peers 85
if wanted torch; then
  if python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)' 2>/dev/null; then
    part torch 90 python3 "$kit/torch_step.py" --json "$out/torch.json" $quick
  else
    say "torch: not here"
  fi
fi
js resnet18 40
js sweep "${SWEEP_SECONDS:-90}"
rm -f "$out"/*.part
say "all parts ended after $((SECONDS - begin)) s"
exit $status
