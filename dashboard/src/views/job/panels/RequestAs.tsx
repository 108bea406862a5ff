/** A request as text to copy. */
export function RequestAs({ request }: { request: Record<string, unknown> }) {
  return (
    <pre class="job-code" tabIndex={0}>
      {JSON.stringify(request, null, 2)}
    </pre>
  );
}
