import { useState } from 'react';
import { useAct } from '../act';
import { CopyButton, Submit } from './buttons';
import { FailureNotice } from './notice';

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
      <p className="hint">Each is good once, when nothing else is at hand. They are not shown again.</p>
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

/** Shows recovery codes until somebody says that he has kept them. */
export function KeepCodes({ codes, about, onKept }: { codes: readonly string[]; about: string; onKept: () => Promise<void> }) {
  const [areKept, setKept] = useState(false);
  const act = useAct();
  return (
    <form
      className="steps"
      onSubmit={(event) => {
        event.preventDefault();
        void act.run(onKept);
      }}
    >
      <p role="status">{about}</p>
      <RecoveryCodes codes={codes} />
      <KeptBox value={areKept} onValue={setKept} />
      <FailureNotice failure={act.failure} />
      <div className="actions">
        <Submit act={act}>Continue</Submit>
      </div>
    </form>
  );
}

export function KeptBox({ value, onValue }: { value: boolean; onValue: (value: boolean) => void }) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={value}
        required
        onChange={(event) => {
          onValue(event.target.checked);
        }}
      />
      I have kept them somewhere safe
    </label>
  );
}
