/** The seed of a lesson: it stands in the address, which can be handed out. */
import { CopyButton } from "~/elements/CopyButton";
import { Field } from "~/elements/Field";
import { NumberCell } from "~/elements/NumberCell";
import { useQuery } from "~/state/address";
import { lessonsText } from "~/text/lessons";

const USUAL = 1;
const LARGEST = 999_999;

const isSeed = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= LARGEST;

/** The seed of the address, and how to take another. */
export function useSeed(): [number, (seed: number) => void] {
  const [given, setGiven] = useQuery("seed", String(USUAL));
  const seed = /^\d+$/.test(given) && isSeed(Number(given)) ? Number(given) : USUAL;
  return [seed, (next) => isSeed(next) && setGiven(String(next), true)];
}

/** Always with the seed, so that it is seen what is handed out. */
export const addressOf = (name: string, seed: number): string => `/lessons/${name}?seed=${seed}`;

export function SeedField({ lesson }: { lesson?: string }) {
  const text = lessonsText();
  const [seed, setSeed] = useSeed();
  const address = lesson && `${location.origin}${addressOf(lesson, seed)}`;
  return (
    <div class="seed">
      <Field label={text.seed} help={text.seedHelp}>
        {(control) => (
          <div class="row">
            <NumberCell id={control.id} label={text.seed} value={seed} onChange={setSeed} />
            <button type="button" class="small" onClick={() => setSeed(1 + Math.floor(Math.random() * 9_999))}>
              {text.another}
            </button>
            {address && (
              <span class="handed-out">
                <code>{address}</code> <CopyButton text={address} />
              </span>
            )}
          </div>
        )}
      </Field>
    </div>
  );
}
