import { CopyButton } from './buttons';

/** Recovery codes, shown once. Printing the page prints them alone. */
export function RecoveryCodes({ codes }: { codes: readonly string[] }) {
  return (
    <div className="recovery printed">
      <p className="print-only">Recovery codes of Dango, {window.location.host}</p>
      <ul className="codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <p className="hint">Each is good once, when the app is not at hand. They are not shown again.</p>
      <div className="actions no-print">
        <CopyButton text={codes.join('\n')}>Copy all</CopyButton>
        <button
          type="button"
          className="button-plain"
          onClick={() => {
            window.print();
          }}
        >
          Print
        </button>
      </div>
    </div>
  );
}
