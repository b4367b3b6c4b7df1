import { useState } from 'react';
import { useAct } from '../../act';
import { api, take, type Schemas } from '../../api/client';
import { Submit } from '../../parts/buttons';
import { Field } from '../../parts/field';
import { FailureNotice } from '../../parts/notice';
import { Time } from '../../parts/time';

interface Props {
  passkey: Schemas['PasskeyRead'];
  isBusy: boolean;
  onRenamed: () => Promise<void>;
  onRemove: () => void;
}

export function PasskeyRow({ passkey, isBusy, onRenamed, onRemove }: Props) {
  const [isRenaming, setRenaming] = useState(false);
  if (isRenaming) {
    return (
      <li>
        <Rename
          passkey={passkey}
          onDone={async (isRenamed) => {
            if (isRenamed) await onRenamed();
            setRenaming(false);
          }}
        />
      </li>
    );
  }
  return (
    <li>
      <div>
        <p className="row-title">{passkey.name}</p>
        <p className="quiet">
          added <Time at={passkey.created_at} /> ·{' '}
          {passkey.last_used_at ? (
            <>
              used <Time at={passkey.last_used_at} />
            </>
          ) : (
            'never used'
          )}
        </p>
      </div>
      <div className="row-actions">
        <button
          type="button"
          className="button-plain"
          aria-label={`Rename the passkey ${passkey.name}`}
          onClick={() => {
            setRenaming(true);
          }}
        >
          Rename
        </button>
        <button type="button" className="button-plain" disabled={isBusy} aria-label={`Remove the passkey ${passkey.name}`} onClick={onRemove}>
          Remove
        </button>
      </div>
    </li>
  );
}

function Rename({ passkey: { id, name: before }, onDone }: { passkey: Schemas['PasskeyRead']; onDone: (isRenamed: boolean) => Promise<void> }) {
  const [name, setName] = useState(before);
  const act = useAct();
  const wrongName = act.failure?.fields.get('name');
  return (
    <form
      className="row-form"
      onSubmit={(event) => {
        event.preventDefault();
        void act.run(async () => {
          await take(api.PATCH('/auth/passkeys/{id}', { params: { path: { id } }, body: { name: name.trim() } }));
          await onDone(true);
        });
      }}
    >
      <Field label="New name" value={name} onValue={setName} required autoFocus maxLength={60} wrong={wrongName} />
      <FailureNotice failure={wrongName ? null : act.failure} />
      <div className="actions">
        <Submit act={act}>Rename</Submit>
        <button type="button" className="button-plain" onClick={() => void onDone(false)}>
          Cancel
        </button>
      </div>
    </form>
  );
}
