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
import { KeptBox, RecoveryCodes } from './recovery-codes';

interface Props {
  /** What stands above it: its steps are headings of the next level. */
  below: 'h1' | 'h2';
  /** Whether there are recovery codes, which those of a new app make void. */
  replacesCodes?: boolean;
  onDone: () => Promise<void>;
  onCancel: () => void;
}

export function Enrolment({ below, replacesCodes = false, onDone, onCancel }: Props) {
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
  if (setUp) return <Steps below={below} setUp={setUp} replacesCodes={replacesCodes} onDone={onDone} onCancel={onCancel} />;
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
          <button type="button" className="button-plain" onClick={onCancel}>
            Cancel
          </button>
        </div>
      )}
    </>
  );
}

function Steps({ below, setUp, replacesCodes, onDone, onCancel }: Props & { setUp: Schemas['SetUp'] }) {
  const Title = below === 'h1' ? 'h2' : 'h3';
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
      <Title>1. Scan this with your authenticator app</Title>
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
      <Title>2. Keep these recovery codes</Title>
      {replacesCodes && <p>They take the place of those you have once the app has shown a code below.</p>}
      <RecoveryCodes codes={setUp.recovery_codes} />
      <KeptBox value={areKept} onValue={setKept} />
      <Title>3. Show that it works</Title>
      <CodeField value={code} onValue={setCode} required wrong={isCodeWrong ? act.failure?.words : undefined} />
      <FailureNotice failure={isCodeWrong ? null : act.failure} />
      <div className="actions">
        <Submit act={act}>Turn on two-step sign-in</Submit>
        <button type="button" className="button-plain" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
