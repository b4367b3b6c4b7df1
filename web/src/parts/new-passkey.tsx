import { useState } from 'react';
import { useAct } from '../act';
import { makePasskey } from '../api/passkeys';
import type { Schemas } from '../api/client';
import { browserName } from '../browser-name';
import { Submit } from './buttons';
import { Field } from './field';
import { FailureNotice } from './notice';
import { useProof } from './proof';

interface Props {
  onMade: (made: Schemas['Registered']) => Promise<void>;
  onCancel: () => void;
}

/** Makes a passkey: a name for the list, and the rest is between the browser and the device. */
export function NewPasskey({ onMade, onCancel }: Props) {
  const [name, setName] = useState(() => browserName(navigator.userAgent));
  const act = useAct();
  const prove = useProof();
  const wrongName = act.failure?.fields.get('name');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void act.run(async () => {
          await onMade(await prove(() => makePasskey(name.trim())));
        });
      }}
    >
      <Field
        label="Name of the passkey"
        value={name}
        onValue={setName}
        required
        autoFocus
        maxLength={60}
        wrong={wrongName}
        hint="So that you know it again. Your browser then asks where to keep it: in this device, a phone or a security key."
      />
      <FailureNotice failure={wrongName ? null : act.failure} />
      <div className="actions">
        <Submit act={act}>Make the passkey</Submit>
        <button type="button" className="button-plain" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
