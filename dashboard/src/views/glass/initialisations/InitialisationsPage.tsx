export default function InitialisationsPage() { return <p>…</p>; }
