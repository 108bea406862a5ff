export default function LandscapesPage() { return <p>…</p>; }
