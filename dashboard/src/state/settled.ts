/** Values that change faster than the address or the API should hear of. */
import { useEffect, useRef, useState } from "preact/hooks";
import { useQuery } from "~/state/address";

/** A value once it has stood still for a while. */
export function useSettled<T>(value: T, milliseconds = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

/** Like useQuery, for what a slider moves: known at once, and in the address when it stands still. */
export function useMoving(name: string, usual = ""): [string, (value: string) => void] {
  const [inAddress, setInAddress] = useQuery(name, usual);
  const [value, setValue] = useState(inAddress);
  const settled = useSettled(value, 400);
  const written = useRef(inAddress);
  useEffect(() => {
    if (settled === written.current) return;
    written.current = settled;
    setInAddress(settled);
  }, [settled]);
  useEffect(() => {
    if (inAddress === written.current) return;
    written.current = inAddress; // the reader went back, or followed a link
    setValue(inAddress);
  }, [inAddress]);
  return [value, setValue];
}
