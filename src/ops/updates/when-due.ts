import stateSource from "../../../shaders/lib/state.wgsl";
import dueSource from "../../../shaders/updates/lib/due.wgsl";
import type { Op } from "../../graph/op.ts";
import type { TensorId, TensorSpec } from "../../graph/tensor.ts";
import { guarded } from "../../wgsl/guard-kernel.ts";
import { type Dispatch, dispatch } from "../../wgsl/kernel.ts";
import { moduleOf } from "../../wgsl/module.ts";

const MADE = /* @__PURE__ */ new WeakMap<Op, Op>();

/** Name of the input that it adds to an op. */
const DUE = "accumulation";

/**
 * Makes an op that does nothing in the steps that do not end with an update. It takes the state of `accumulationState` as one more input,
 * `accumulation`. Its kernels are the op's own, with one line more, so they leave in those steps every buffer as it is, to the bit.
 */
export function whenDue(op: Op): Op {
  const known = MADE.get(op);
  if (known) return known;
  // The op's own rewrites and algorithms would bring nodes that always update.
  const { rewrites: _, algorithms: __, inPlace: ___, fuses: ____, ...own } = op;
  const made: Op = {
    ...own,
    name: `${op.name}WhenDue`,
    inputs: [...op.inputs, DUE],
    infer: ({ [DUE]: _, ...inputs }: Readonly<Record<string, TensorSpec>>, attributes, where) =>
      op.infer(inputs, attributes, where),
    ...(op.lower && {
      lower: (context) => {
        const { [DUE]: due, ...inputs } = context.inputs;
        return op.lower!({ ...context, inputs }).map((each) => dueOnly(each, due!.id));
      },
    }),
  };
  MADE.set(op, made);
  return made;
}

type Buffers = Readonly<Record<string, "read">>;

/** Makes the call of a kernel that returns at once where no update is due. */
function dueOnly({ shader, bind, workgroups }: Dispatch<TensorId>, due: TensorId): Dispatch<TensorId> {
  const module = moduleOf(shader.code);
  // A kernel that reads the same state, as Adam's does, needs no further buffer.
  const isState = (name: string) =>
    module.some((it) => it.keyword === "var" && it.name === name && it.tokens.some(({ text }) => text === "StepState"));
  const bound = Object.keys(bind).find((name) => bind[name] === due && isState(name));
  const code = guarded(shader.code, bound === undefined ? "is_due()" : `${bound}.rows > 0u`);
  if (bound !== undefined) return dispatch<Buffers, TensorId>({ code }, { bind, workgroups });
  const struct = module.some(({ keyword, name }) => keyword === "struct" && name === "StepState") ? [] : [stateSource];
  const call = { bind: { ...bind, [DUE]: due }, libraries: [dueSource, ...struct], workgroups };
  return dispatch<Buffers, TensorId>({ code }, call);
}
