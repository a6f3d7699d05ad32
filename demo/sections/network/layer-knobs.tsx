import type { Activation, LayerSpec } from "../../network.ts";
import { ACTIVATIONS, LIMITS } from "../../network-check.ts";
import { Segments } from "../../ui/chips.tsx";
import { ChoiceKnob, NumberKnob } from "../../ui/knobs.tsx";
import { draft } from "./editor.ts";
import { withLayer } from "./edits.ts";

const PADDINGS = [
  { value: "valid", label: "None" },
  { value: "same", label: "Zero" },
] as const;

const POOLS = [
  { value: "maxPooling2d", label: "Max" },
  { value: "averagePooling2d", label: "Average" },
] as const;

/** A layer's options, each a knob. */
export function LayerKnobs({ at }: { at: number }) {
  const network = draft.network.value;
  const layer = network.layers[at]!;
  const last = at === network.layers.length - 1;
  const change = (next: LayerSpec, knob: string) => draft.change(withLayer(network, at, next), `${at} ${knob}`);
  switch (layer.kind) {
    case "conv2d":
      return (
        <div class="knobs">
          <Whole layer={layer} name="filters" label="Filters" onChange={change} />
          <Whole layer={layer} name="kernelSize" label="Kernel size" onChange={change} />
          <Whole layer={layer} name="strides" label="Stride" onChange={change} />
          <Segments
            label="Padding"
            value={layer.padding}
            options={PADDINGS}
            onChange={(padding) => change({ ...layer, padding }, "padding")}
          />
          <ActivationKnob
            value={layer.activation}
            onChange={(activation) => change({ ...layer, activation }, "activation")}
          />
        </div>
      );
    case "maxPooling2d":
    case "averagePooling2d":
      return (
        <div class="knobs">
          <Segments
            label="Keeps"
            value={layer.kind}
            options={POOLS}
            onChange={(kind) => change({ ...layer, kind }, "kind")}
          />
          <Whole layer={layer} name="poolSize" label="Pool size" onChange={change} />
          <Whole layer={layer} name="strides" label="Stride" onChange={change} />
        </div>
      );
    case "dropout":
      return (
        <div class="knobs">
          <NumberKnob
            label="Rate (share dropped)"
            value={layer.rate}
            {...LIMITS.rate}
            step={0.01}
            onChange={(rate) => change({ ...layer, rate }, "rate")}
          />
        </div>
      );
    case "flatten":
      return null;
    case "dense":
      return (
        <div class="knobs">
          <Whole layer={layer} name="units" label="Units" disabled={last} onChange={change} />
          <ActivationKnob
            value={layer.activation}
            disabled={last}
            onChange={(activation) => change({ ...layer, activation }, "activation")}
          />
        </div>
      );
  }
}

/** A whole number of a layer. */
function Whole<T extends LayerSpec, K extends keyof T & keyof typeof LIMITS>(props: {
  layer: T;
  name: K;
  label: string;
  disabled?: boolean;
  onChange: (layer: T, knob: string) => void;
}) {
  const { layer, name, label, disabled = false, onChange } = props;
  return (
    <NumberKnob
      label={label}
      value={layer[name] as number}
      {...LIMITS[name]}
      disabled={disabled}
      onChange={(value) => onChange({ ...layer, [name]: value }, name)}
    />
  );
}

function ActivationKnob(props: { value: Activation; disabled?: boolean; onChange: (value: Activation) => void }) {
  const { value, disabled = false, onChange } = props;
  const known: readonly Activation[] = disabled ? [value] : ACTIVATIONS;
  const options = known.map((activation) => ({ value: activation, label: activation }));
  return <ChoiceKnob label="Activation" value={value} options={options} disabled={disabled} onChange={onChange} />;
}
