/** Which optimizers race, each with its own numbers, and the schedule of all of them. */
import { seriesLook } from "~/charts/colours";
import { titleOf, type Catalog, type Kind } from "~/forms/catalog";
import { KindField } from "~/forms/KindField";
import { glassText } from "~/text/glass";
import { landscapesText } from "~/text/glass-landscapes";
import { MOST_RACERS, racerNames } from "./race";

interface Props {
  catalog: Catalog;
  racers: Kind[];
  schedule: Kind;
  onRacers: (racers: Kind[]) => void;
  onSchedule: (schedule: Kind) => void;
}

export function Racers({ catalog, racers, schedule, onRacers, onSchedule }: Props) {
  const text = landscapesText();
  const words = glassText();
  const names = racerNames(racers, (kind) => titleOf(catalog, "optimizers", kind));
  return (
    <>
      <div class="columns racers">
        {racers.map((racer, place) => (
          <div class="card" key={place}>
            <KindField
              label={
                <>
                  <svg width="16" height="10" aria-hidden="true">
                    <circle cx="5" cy="5" r="5" fill={seriesLook(place).colour} />
                  </svg>
                  {text.racer} {place + 1}
                </>
              }
              catalog={catalog}
              family="optimizers"
              value={racer}
              onChange={(next) => onRacers(racers.map((old, index) => (index === place ? next : old)))}
            />
            {racers.length > 1 && (
              <button type="button" class="small" aria-label={words.removeNamed(names[place]!)} onClick={() => onRacers(racers.filter((_, index) => index !== place))}>
                {words.remove}
              </button>
            )}
          </div>
        ))}
        <div class="card">
          <KindField label={words.schedule} catalog={catalog} family="schedules" value={schedule} onChange={onSchedule} />
        </div>
      </div>
      {racers.length < MOST_RACERS && (
        <button type="button" onClick={() => onRacers([...racers, { kind: "gradient_descent", learning_rate: Number(racers[0]?.learning_rate) || 0.01 }])}>
          {text.addRacer}
        </button>
      )}
    </>
  );
}
