export default function OptimizersPage() { return <p>…</p>; }
