export default function FunctionsPage() { return <p>…</p>; }
