import { useId, useState } from 'react';
import { useAct } from '../../act';
import { api, take, type Schemas } from '../../api/client';
import { useLoaded } from '../../load';
import { Submit } from '../../parts/buttons';
import { Field } from '../../parts/field';
import { FailureNotice } from '../../parts/notice';
import { useProof } from '../../parts/proof';

const loadScopes = () => take(api.GET('/auth/permissions'));

const LIFETIMES: readonly (readonly [string, string])[] = [
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year'],
  ['', 'Never'],
];

interface Props {
  onMade: (token: Schemas['TokenRead']) => Promise<void>;
  onCancel: () => void;
}

export function NewToken({ onMade, onCancel }: Props) {
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [isNarrow, setNarrow] = useState(false);
  const [scopes, setScopes] = useState<ReadonlySet<string>>(new Set());
  const [networks, setNetworks] = useState('');
  const act = useAct();
  const prove = useProof();
  const daysId = useId();
  const submit = () =>
    act.run(async () => {
      const from = networks.split(/[\s,]+/).filter((network) => network !== '');
      const body = {
        name: name.trim(),
        expires_in_days: days === '' ? null : Number(days),
        scopes: isNarrow ? [...scopes] : null,
        networks: from.length > 0 ? from : null,
      };
      await onMade(await prove(() => take(api.POST('/auth/api-tokens', { body }))));
    });
  return (
    <form
      className="panel"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h3>New token</h3>
      <Field label="Name" value={name} onValue={setName} required autoFocus maxLength={255} hint="What it is for, so that you know it again." />
      <div className="field">
        <label htmlFor={daysId}>Expires after</label>
        <select
          id={daysId}
          value={days}
          onChange={(event) => {
            setDays(event.target.value);
          }}
        >
          {LIFETIMES.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <fieldset>
        <legend>What it may do</legend>
        <label className="check">
          <input
            type="radio"
            name="narrow"
            checked={!isNarrow}
            onChange={() => {
              setNarrow(false);
            }}
          />
          What I may
        </label>
        <label className="check">
          <input
            type="radio"
            name="narrow"
            checked={isNarrow}
            onChange={() => {
              setNarrow(true);
            }}
          />
          Only some of it
        </label>
        {isNarrow && <Scopes chosen={scopes} onChosen={setScopes} />}
      </fieldset>
      <Field
        label="Only from these networks"
        value={networks}
        onValue={setNetworks}
        placeholder="192.0.2.0/24"
        spellCheck={false}
        hint="Addresses or networks, with spaces between them. Empty: from anywhere."
      />
      <FailureNotice failure={act.failure} />
      <div className="actions">
        <Submit act={act}>Make the token</Submit>
        <button type="button" className="button-plain" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Scopes({ chosen, onChosen }: { chosen: ReadonlySet<string>; onChosen: (chosen: ReadonlySet<string>) => void }) {
  const scopes = useLoaded(loadScopes);
  return (
    <div className="scopes">
      <FailureNotice failure={scopes.failure} />
      {(scopes.value ?? []).map((scope) => (
        <label key={scope} className="check">
          <input
            type="checkbox"
            checked={chosen.has(scope)}
            onChange={(event) => {
              const next = new Set(chosen);
              if (event.target.checked) next.add(scope);
              else next.delete(scope);
              onChosen(next);
            }}
          />
          <code>{scope}</code>
        </label>
      ))}
    </div>
  );
}
