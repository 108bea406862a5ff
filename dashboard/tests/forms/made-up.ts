/** A schema such as the API's, with an optimizer and a kind of layer that nobody has heard of. */
import type { Catalog } from "~/forms/form";
import type { JsonSchema } from "~/forms/schema";

const kinds = (...names: string[]): JsonSchema => ({
  anyOf: [
    { type: "string", enum: names.map((name) => name.toLowerCase()) },
    { oneOf: names.map((name) => ({ $ref: `#/$defs/${name}` })), discriminator: { propertyName: "kind" } },
  ],
});
const kind = (name: string) => ({ kind: { const: name, title: "Kind", type: "string" } });

export const SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    target: { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }], title: "Target", description: "the column" },
    model: { ...kinds("Net"), title: "Model" },
    optimizer: { anyOf: [...kinds("Plain", "Bouncer").anyOf!, { type: "null" }], default: null, title: "Optimizer", description: "how a step is made" },
    epochs: { anyOf: [{ type: "integer", minimum: 1, maximum: 1000000 }, { type: "null" }], default: null, title: "Epochs" },
    batch_size: { anyOf: [{ type: "integer", minimum: 1 }, { type: "string", const: "full" }, { type: "null" }], default: null, title: "Batch Size" },
    split: { $ref: "#/$defs/Split", default: { validation: null, test: 0 } },
    weights: { anyOf: [{ type: "string", const: "balanced" }, { type: "object", additionalProperties: { type: "number", minimum: 0 } }, { type: "null" }] },
  },
  $defs: {
    Net: {
      type: "object",
      properties: {
        ...kind("net"),
        layers: {
          type: "array",
          maxItems: 5,
          default: [{ units: 16, activation: "relu" }],
          items: { anyOf: [{ type: "integer" }, { $ref: "#/$defs/Layer" }] },
          title: "Layers",
        },
        bias: { type: "boolean", default: true, title: "Bias" },
      },
    },
    Layer: {
      type: "object",
      properties: { units: { type: "integer", minimum: 1, title: "Units" }, activation: { ...kinds("Relu", "Leaky"), default: "relu", title: "Activation" } },
    },
    Relu: { type: "object", properties: kind("relu") },
    Leaky: { type: "object", properties: { ...kind("leaky"), alpha: { type: "number", default: 0.01, title: "Alpha" } } },
    Plain: { type: "object", properties: { ...kind("plain"), learning_rate: { type: "number", exclusiveMinimum: 0, default: 0.01, title: "Learning Rate" } } },
    Bouncer: {
      type: "object",
      description: "Bounces off the walls.",
      properties: {
        ...kind("bouncer"),
        learning_rate: { type: "number", exclusiveMinimum: 0, default: 0.1, title: "Learning Rate" },
        bounce: { type: "number", minimum: 0, exclusiveMaximum: 1, default: 0.5, title: "Bounce", description: "the share of the speed that is kept" },
      },
    },
    Split: {
      type: "object",
      description: "Who goes where.",
      properties: { validation: { anyOf: [{ type: "number", minimum: 0 }, { type: "null" }], default: null }, test: { type: "number", default: 0 } },
    },
  },
};

const entry = (name: string) => ({ kind: name, title: name.toUpperCase(), summary: `The ${name}.`, formula: `${name}(x)`, derivative: null, source: "A paper, 2026" });
export const CATALOG: Catalog = {
  models: [entry("net")],
  activations: [entry("relu"), entry("leaky")],
  optimizers: [entry("plain"), entry("bouncer")],
};

/** What the API makes of a short request. */
export const COMPLETED = {
  target: "y",
  model: { kind: "net", layers: [{ units: 16, activation: "relu" }, { units: 4, activation: { kind: "leaky", alpha: 0.2 } }], bias: true },
  optimizer: { kind: "plain", learning_rate: 0.05 },
  epochs: 100,
  batch_size: 16,
  split: { validation: 0.2, test: 0 },
  weights: null,
};
