/** Where a pointer is on a chart, and which point lies nearest. */

interface Points {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

/**
 * Which list and which point of it are drawn nearest to `at`, in pixels, within `most` pixels; null where none is.
 * `x` and `y` take a value to its pixel. Points that are not finite are never near.
 */
export function nearest(lists: Points[], x: (value: number) => number, y: (value: number) => number, at: [number, number], most: number): { list: number; point: number } | null {
  let best = most ** 2;
  let found: { list: number; point: number } | null = null;
  lists.forEach((points, list) => {
    for (let point = 0; point < points.x.length; point++) {
      const distance = (x(points.x[point] as number) - at[0]) ** 2 + (y(points.y[point] as number) - at[1]) ** 2;
      if (distance < best) [best, found] = [distance, { list, point }];
    }
  });
  return found;
}

/** Where a pointer is within an element, in pixels; by default the one that hears of it. */
export function placeOf(event: MouseEvent, element = event.currentTarget as Element): [number, number] {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
