// Setting an authenticator app up: scan, keep the recovery codes, show a code.

import { useEffect, useRef, useState } from 'react';
import { useAct } from '../act';
import { api, take, type Schemas } from '../api/client';
import { CopyButton, Submit } from './buttons';
import { CodeField } from './field';
import { Waiting } from './frame';
import { FailureNotice } from './notice';
import { useProof } from './proof';
import { QrCode } from './qr-code';
import { RecoveryCodes } from './recovery-codes';

interface Props {
  onDone: () => Promise<void>;
  onCancel?: () => void;
}

export function Enrolment({ onDone, onCancel }: Props) {
  const [setUp, setSetUp] = useState<Schemas['SetUp'] | null>(null);
  const begin = useAct();
  const prove = useProof();
  const hasBegun = useRef(false);
  const { run } = begin;
  useEffect(() => {
    // Each beginning makes the one before void, so there is one.
    if (hasBegun.current) return;
    hasBegun.current = true;
    void run(async () => {
      setSetUp(await prove(() => take(api.POST('/auth/2fa/setup', { body: {} }))));
    });
  }, [prove, run]);
  if (setUp) return <Steps setUp={setUp} onDone={onDone} onCancel={onCancel} />;
  return (
    <>
      <FailureNotice failure={begin.failure} />
      {begin.isBusy && <Waiting what="Making a secret for your app" />}
      {!begin.isBusy && (
        <div className="actions">
          <button
            type="button"
            className="button-main"
            onClick={() =>
              void run(async () => {
                setSetUp(await prove(() => take(api.POST('/auth/2fa/setup', { body: {} }))));
              })
            }
          >
            Begin
          </button>
          {onCancel && (
            <button type="button" className="button-plain" onClick={onCancel}>
              Cancel
            </button>
          )}
        </div>
      )}
    </>
  );
}

function Steps({ setUp, onDone, onCancel }: { setUp: Schemas['SetUp']; onDone: Props['onDone']; onCancel: Props['onCancel'] }) {
  const [code, setCode] = useState('');
  const [areKept, setKept] = useState(false);
  const act = useAct();
  const prove = useProof();
  const isCodeWrong = act.failure?.code === 'second_factor_wrong';
  const grouped = setUp.secret.replaceAll(/(.{4})(?=.)/g, '$1 ');
  return (
    <form
      className="steps"
      onSubmit={(event) => {
        event.preventDefault();
        void act.run(async () => {
          await prove(() => take(api.POST('/auth/2fa/verify-setup', { body: { code: code.replaceAll(' ', '') } })));
          await onDone();
        });
      }}
    >
      <h3>1. Scan this with your authenticator app</h3>
      <div className="scan">
        <QrCode text={setUp.provisioning_uri} label="QR code with the secret for your authenticator app" />
        <div>
          <p>Or type this secret into the app:</p>
          <p>
            <code className="secret" data-testid="secret">
              {grouped}
            </code>
          </p>
          <CopyButton text={setUp.secret}>Copy the secret</CopyButton>
        </div>
      </div>
      <h3>2. Keep these recovery codes</h3>
      <RecoveryCodes codes={setUp.recovery_codes} />
      <label className="check">
        <input
          type="checkbox"
          checked={areKept}
          required
          onChange={(event) => {
            setKept(event.target.checked);
          }}
        />
        I have kept them somewhere safe
      </label>
      <h3>3. Show that it works</h3>
      <CodeField value={code} onValue={setCode} required wrong={isCodeWrong ? act.failure?.words : undefined} />
      <FailureNotice failure={isCodeWrong ? null : act.failure} />
      <div className="actions">
        <Submit act={act}>Turn on two-step sign-in</Submit>
        {onCancel && (
          <button type="button" className="button-plain" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
