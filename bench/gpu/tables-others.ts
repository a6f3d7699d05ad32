// Tables of what the kit measured of others: the peers in WebGPU, PyTorch, and what the card could do.

import { stepFlop } from "../arithmetic.ts";
import { NETWORKS, type NetworkName, PLAIN_NETWORKS } from "../networks.ts";
import { median, spreadOf, spreadText } from "../statistics.ts";
import { table } from "../table.ts";
import { limitMs, limitText } from "./tables-limit.ts";
import { figure, least, NOT_MEASURED, shippedStep, times } from "./tables-ours.ts";
import { adapterOf, type Run } from "./tables-run.ts";

/** What ours is set beside. */
interface Other {
  readonly network: NetworkName;
  readonly name: string;
  readonly ms: number;
  /** By the wall clock. Undefined: no fair one was measured. */
  readonly oursWall: number | undefined;
}

export function ratioLines(run: Run): string[] {
  const others = [...peersOf(run), ...torchOf(run), ...limitsOf(run)];
  if (others.length === 0) return NOT_MEASURED;
  return [
    "Theirs / ours, of the training step as it is shipped: 10x says that we take a tenth of the time. " +
      "Our wall time is measured in the same process as the peers', and beside PyTorch in the part of our steps.",
    limitText(adapterOf(run).device),
    "",
    ...table(
      ["network", "beside", "its ms", "our device ms", "its / ours", "our wall ms", "its / ours"],
      others.map(({ network, name, ms, oursWall }) => {
        const step = shippedStep(run, network);
        const device = step && least(step.deviceMs);
        return [network, name, figure(ms), figure(device), times(ms, device), figure(oursWall), times(ms, oursWall)];
      }),
      true,
    ),
  ];
}

function peersOf(run: Run): Other[] {
  return (run.peers?.networks ?? []).flatMap(({ network, systems }) => {
    const [ours, ...theirs] = [
      "featuremap",
      ...systems.map(({ name }) => name).filter((name) => name !== "featuremap"),
    ];
    const msOf = (name: string | undefined) => {
      const { stepMs, failed } = systems.find((each) => each.name === name) ?? {};
      return failed || !stepMs?.length ? undefined : median(stepMs);
    };
    return theirs.flatMap((name) => {
      const ms = msOf(name);
      return ms === undefined ? [] : [{ network, name, ms, oursWall: msOf(ours) }];
    });
  });
}

function torchOf(run: Run): Other[] {
  if (run.torch?.device.startsWith("cpu")) return [];
  return (run.torch?.rows ?? []).flatMap(({ network, way, batch, ms }) => {
    if (network !== "article" || ms === undefined || batch !== NETWORKS.article.batch) return [];
    const step = run.steps?.quick ? undefined : shippedStep(run, network);
    return [{ network, name: `PyTorch, ${way}`, ms, oursWall: step && least(step.wallMs) }];
  });
}

function limitsOf(run: Run): Other[] {
  return PLAIN_NETWORKS.flatMap((network) => {
    const ms = limitMs(adapterOf(run).device, network);
    const step = run.steps?.quick ? undefined : shippedStep(run, network);
    return ms && step ? [{ network, name: "the card's limit", ms, oursWall: least(step.wallMs) }] : [];
  });
}

export function peerLines(run: Run): string[] {
  if (!run.peers) return NOT_MEASURED;
  const lines = [
    "By the wall clock, in Node on Dawn: medians in ms (least-most).",
    "",
    ...table(
      ["network", "system", "version", "training step", "to ours", "first step", "infer 1", "infer a batch"],
      run.peers.networks.flatMap(({ network, systems }) => {
        const ours = spreadOf(systems.find(({ name }) => name === "featuremap")?.stepMs ?? []);
        return systems.map(({ name, version, stepMs, firstStepMs, infer1Ms, inferBatchMs, failed }) => {
          const [step, one, batch] = [stepMs, infer1Ms, inferBatchMs].map((samples) =>
            spreadOf(failed ? [] : (samples ?? [])),
          );
          return [
            network,
            name,
            version ?? "-",
            spreadText(step),
            times(step?.median, ours?.median),
            figure(failed ? undefined : firstStepMs),
            spreadText(one),
            spreadText(batch),
          ];
        });
      }),
      true,
    ),
  ];
  const failures = run.peers.networks.flatMap(({ network, systems }) =>
    systems.flatMap(({ name, failed }) => (failed ? [`- ${name}, "${network}": ${failed}`] : [])),
  );
  const agreed = run.peers.networks.map(({ network, agreement }) =>
    agreement === "agree"
      ? `The systems compute the same on "${network}": the losses of the first steps and the probabilities after them agree.`
      : `Of "${network}": ${agreement}.`,
  );
  return [...lines, "", ...agreed, ...(failures.length ? ["", "Failed:", "", ...failures] : [])];
}

export function torchLines(run: Run): string[] {
  if (!run.torch) return [...NOT_MEASURED, ...resnetLines(run)];
  const { torch, device, rows } = run.torch;
  const article = stepFlop(NETWORKS.article) / 1e6;
  const failures = rows.flatMap(({ network, batch, way, failed }) =>
    failed === undefined ? [] : [`- ${network}, ${batch}, ${way}: ${failed}`],
  );
  return [
    `PyTorch ${torch} on ${device}, float32 with TF32 off: medians in ms a training step. ` +
      "Graph is a CUDA graph of the eager step. ResNet-18 is for images of 32 x 32 x 3.",
    "",
    ...table(
      ["network", "batch", "way", "ms", "images/s", "useful GFLOP/s"],
      rows.map(({ network, batch, way, ms }) => [
        network,
        batch,
        way,
        ms === undefined ? "failed" : figure(ms),
        ms ? ((1000 * batch) / ms).toFixed(0) : "-",
        network === "article" && ms && batch === NETWORKS.article.batch ? figure(article / ms) : "-",
      ]),
      true,
    ),
    ...(failures.length > 0 ? ["", "Failed:", "", ...failures] : []),
    ...resnetLines(run),
  ];
}

/** Our ResNet-18, beside PyTorch's fastest way at the same batch size. */
function resnetLines({ resnet18, torch }: Run): string[] {
  if (!resnet18) return [];
  const fastest = (batch: number) => {
    const ms = torch?.device.startsWith("cpu")
      ? []
      : (torch?.rows ?? []).flatMap((row) =>
          row.network === "resnet18" && row.batch === batch && row.ms ? row.ms : [],
        );
    return ms.length > 0 ? Math.min(...ms) : undefined;
  };
  return [
    "",
    "Ours of ResNet-18, as it is shipped: medians in ms a training step, the best of 1 to 64 steps a submit.",
    "",
    ...table(
      ["batch", "dispatches", "device ms", "wall ms", "images/s", "useful GFLOP/s", "PyTorch's best / our wall"],
      resnet18.rows.map(({ batch, dispatches, flop, deviceMs, wallMs }) => {
        const [device, wall] = [least(deviceMs), least(wallMs)];
        return [
          batch,
          dispatches,
          figure(device),
          figure(wall),
          ((1000 * batch) / wall).toFixed(0),
          figure(flop / 1e6 / device),
          times(fastest(batch), wall),
        ];
      }),
      true,
    ),
  ];
}
