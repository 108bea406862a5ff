import { render } from "preact";
import { act } from "preact/test-utils";
import { expect, it } from "vitest";
import { useKept, useResource } from "~/state/resource";

interface Answer {
  of: string;
  epoch: number;
}

it("keeps the last answer of the same kind while the next is awaited, and no other", async () => {
  const waiting = new Map<string, (value: Answer) => void>();
  let seen: Answer | undefined;
  function View({ of, epoch }: Answer) {
    const asked = useResource<Answer>(`${of}:${epoch}`, () => new Promise((resolve) => waiting.set(`${of}:${epoch}`, resolve)));
    seen = useKept(asked, (value) => value.of === of).value;
    return null;
  }
  const place = document.createElement("div");
  const show = (answer: Answer) => act(() => render(<View {...answer} />, place));
  const answer = (value: Answer) => act(async () => waiting.get(`${value.of}:${value.epoch}`)?.(value));

  await show({ of: "a", epoch: 1 });
  expect(seen).toBeUndefined();
  await answer({ of: "a", epoch: 1 });
  await show({ of: "a", epoch: 2 });
  expect(seen).toEqual({ of: "a", epoch: 1 });
  await answer({ of: "a", epoch: 2 });
  expect(seen).toEqual({ of: "a", epoch: 2 });
  await show({ of: "b", epoch: 2 });
  expect(seen).toBeUndefined();
});
