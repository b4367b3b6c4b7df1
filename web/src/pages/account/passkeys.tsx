import { useState } from 'react';
import { useAct } from '../../act';
import { api, take, type Schemas } from '../../api/client';
import { knowsPasskeys } from '../../api/passkeys';
import { useLoaded } from '../../load';
import { Dialog } from '../../parts/dialog';
import { Section, Waiting } from '../../parts/frame';
import { NewPasskey } from '../../parts/new-passkey';
import { DoneNotice, FailureNotice } from '../../parts/notice';
import { useProof } from '../../parts/proof';
import { useWays } from '../../ways';
import { PasskeyRow } from './passkey-row';

type Passkey = Schemas['PasskeyRead'];

const loadPasskeys = () => take(api.GET('/auth/passkeys'));

interface Props {
  onCodes: (codes: readonly string[]) => void;
  /** Says how many are left. */
  onChanged: (left: number) => Promise<void>;
}

export function Passkeys({ onCodes, onChanged }: Props) {
  const passkeys = useLoaded(loadPasskeys);
  const ways = useWays();
  const [isNew, setNew] = useState(false);
  const [doomed, setDoomed] = useState<Passkey | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const act = useAct();
  const prove = useProof();
  const listed = passkeys.value ?? [];
  const made = async ({ passkey, recovery_codes }: Schemas['Registered']) => {
    setNew(false);
    setDone(`The passkey ${passkey.name} is ready. Everywhere else you were signed out.`);
    await passkeys.again();
    await onChanged(listed.length + 1);
    if (recovery_codes.length > 0) onCodes(recovery_codes);
  };
  const remove = ({ id, name }: Passkey) =>
    act.run(async () => {
      setDoomed(null);
      setDone(null);
      await prove(() => take(api.DELETE('/auth/passkeys/{id}', { params: { path: { id } } })));
      setDone(`The passkey ${name} is removed. Everywhere else you were signed out.`);
      await passkeys.again();
      await onChanged(listed.length - 1);
    });
  return (
    <Section
      title="Passkeys"
      about="Sign in with your finger, your face or the PIN of a device: instead of the password, or after it. No other website can trick you out of a passkey."
    >
      <DoneNotice>{done && <p>{done}</p>}</DoneNotice>
      <FailureNotice failure={passkeys.failure ?? act.failure} />
      {!passkeys.value && !passkeys.failure && <Waiting what="Looking" />}
      {passkeys.value && listed.length === 0 && !isNew && <p className="quiet">There are none.</p>}
      <ul className="rows" aria-label="Passkeys">
        {listed.map((passkey) => (
          <PasskeyRow
            key={passkey.id}
            passkey={passkey}
            isBusy={act.isBusy}
            onRenamed={passkeys.again}
            onRemove={() => {
              setDoomed(passkey);
            }}
          />
        ))}
      </ul>
      {isNew ? (
        <div className="panel">
          <NewPasskey
            onMade={made}
            onCancel={() => {
              setNew(false);
            }}
          />
        </div>
      ) : (
        <AddPasskey
          isPossible={ways?.passkeys}
          onAdd={() => {
            setDone(null);
            setNew(true);
          }}
        />
      )}
      {doomed && (
        <Dialog
          title={`Remove ${doomed.name}?`}
          onClose={() => {
            setDoomed(null);
          }}
        >
          <p>It signs you in no more, and you are signed out everywhere else. Delete it on its device as well, so that it is not offered there.</p>
          <div className="actions">
            <button type="button" className="button-bad" onClick={() => void remove(doomed)}>
              Remove it
            </button>
            <button
              type="button"
              className="button-plain"
              onClick={() => {
                setDoomed(null);
              }}
            >
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </Section>
  );
}

/** Offers another one, or says why there can be none. */
function AddPasskey({ isPossible, onAdd }: { isPossible: boolean | undefined; onAdd: () => void }) {
  if (isPossible === undefined) return null;
  if (!isPossible) return <p className="quiet">None can be added here: that takes an address with a name, over https. An admin sets it up.</p>;
  if (!knowsPasskeys()) return <p className="quiet">This browser does not know passkeys. Take a newer one to add one.</p>;
  return (
    <div className="actions">
      <button type="button" className="button-other" onClick={onAdd}>
        Add a passkey…
      </button>
    </div>
  );
}
