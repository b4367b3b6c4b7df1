import { useState } from 'react';
import { useAct } from '../../act';
import { api, take, type Schemas } from '../../api/client';
import { Dialog } from '../../parts/dialog';
import { Enrolment } from '../../parts/enrolment';
import { Section } from '../../parts/frame';
import { DoneNotice, FailureNotice } from '../../parts/notice';
import { useProof } from '../../parts/proof';
import { useHasPassword } from '../../session';

type Mode = 'rest' | 'enrol' | 'take-away';

interface Props {
  factors: Schemas['Factors'];
  /** The recovery codes that were shown before are void. */
  onCodesVoid: () => void;
  onChanged: () => Promise<void>;
}

export function Authenticator({ factors, onCodesVoid, onChanged }: Props) {
  const [mode, setMode] = useState<Mode>('rest');
  const [done, setDone] = useState<string | null>(null);
  const act = useAct();
  const prove = useProof();
  const alone = useHasPassword() ? 'Your password' : 'Your linked login';
  const isOn = factors.totp_enabled;
  const rest = async (said: string) => {
    setMode('rest');
    setDone(said);
    await onChanged();
  };
  const takeAway = () =>
    act.run(async () => {
      setMode('rest');
      await prove(() => take(api.POST('/auth/2fa/disable', { body: {} })));
      if (factors.passkeys === 0) onCodesVoid();
      const left = factors.passkeys === 0 ? `${alone} alone signs you in.` : 'Your passkeys are asked for as before.';
      await rest(`The authenticator app is off. ${left}`);
    });
  const begin = () => {
    setDone(null);
    setMode('enrol');
  };
  return (
    <Section title="Authenticator app" about="A second step at sign-in: a code that only your phone can show.">
      <DoneNotice>{done && <p>{done}</p>}</DoneNotice>
      <FailureNotice failure={act.failure} />
      {mode === 'enrol' ? (
        <Enrolment
          below="h2"
          replacesCodes={factors.recovery_codes_left > 0}
          onDone={() => {
            onCodesVoid();
            return rest('Two-step sign-in is on. Everywhere else you were signed out.');
          }}
          onCancel={() => {
            setMode('rest');
            void onChanged();
          }}
        />
      ) : (
        <>
          <dl className="facts">
            <dt>State</dt>
            <dd>
              <span className={isOn ? 'badge badge-good' : 'badge'}>{isOn ? 'On' : 'Off'}</span>
            </dd>
          </dl>
          <div className="actions">
            {isOn ? (
              <button
                type="button"
                className="button-bad"
                disabled={act.isBusy}
                onClick={() => {
                  setMode('take-away');
                }}
              >
                Turn off…
              </button>
            ) : (
              <button type="button" className="button-other" onClick={begin}>
                Set up an authenticator app
              </button>
            )}
          </div>
        </>
      )}
      {mode === 'take-away' && (
        <Dialog
          title="Turn the authenticator app off?"
          onClose={() => {
            setMode('rest');
          }}
        >
          <p>
            {factors.passkeys === 0
              ? `${alone} alone signs you in then. The recovery codes are void, and you are signed out everywhere else.`
              : 'Your passkeys and recovery codes stay. You are signed out everywhere else.'}
          </p>
          <div className="actions">
            <button type="button" className="button-bad" onClick={() => void takeAway()}>
              Turn it off
            </button>
            <button
              type="button"
              className="button-plain"
              onClick={() => {
                setMode('rest');
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
