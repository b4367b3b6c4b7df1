import { useState } from 'react';
import { useAct } from '../../act';
import { api, take } from '../../api/client';
import { useLoaded } from '../../load';
import { Dialog } from '../../parts/dialog';
import { Enrolment } from '../../parts/enrolment';
import { Section, Waiting } from '../../parts/frame';
import { DoneNotice, FailureNotice } from '../../parts/notice';
import { useProof } from '../../parts/proof';
import { RecoveryCodes } from '../../parts/recovery-codes';
import { look } from '../../session';

const loadFactors = () => take(api.GET('/auth/2fa'));

type Mode = 'rest' | 'enrol' | 'take-away';

export function TwoStep() {
  const [mode, setMode] = useState<Mode>('rest');
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const factors = useLoaded(loadFactors);
  const act = useAct();
  const prove = useProof();
  const rest = async (said: string) => {
    setMode('rest');
    setDone(said);
    await Promise.all([factors.again(), look()]);
  };
  const renew = () =>
    act.run(async () => {
      setDone(null);
      setCodes((await prove(() => take(api.POST('/auth/2fa/regenerate-recovery')))).recovery_codes);
      await factors.again();
    });
  const takeAway = () =>
    act.run(async () => {
      setMode('rest');
      await prove(() => take(api.POST('/auth/2fa/disable', { body: {} })));
      setCodes(null);
      await rest('The authenticator app is off. Your password alone signs you in.');
    });
  return (
    <Section title="Two-step sign-in" about="Beside the password, a code that only your phone can show.">
      <DoneNotice>{done && <p>{done}</p>}</DoneNotice>
      <FailureNotice failure={factors.failure ?? act.failure} />
      {!factors.value && !factors.failure && <Waiting what="Looking" />}
      {factors.value && mode === 'enrol' && (
        <Enrolment
          onDone={() => rest('Two-step sign-in is on. Everywhere else you were signed out.')}
          onCancel={() => {
            setMode('rest');
          }}
        />
      )}
      {factors.value && mode !== 'enrol' && (
        <>
          <dl className="facts">
            <dt>Authenticator app</dt>
            <dd>
              <span className={factors.value.totp_enabled ? 'badge badge-good' : 'badge'}>{factors.value.totp_enabled ? 'On' : 'Off'}</span>
            </dd>
            {factors.value.totp_enabled && (
              <>
                <dt>Recovery codes left</dt>
                <dd>{factors.value.recovery_codes_left}</dd>
              </>
            )}
          </dl>
          {codes && <RecoveryCodes codes={codes} />}
          <div className="actions">
            {factors.value.totp_enabled ? (
              <>
                <button type="button" className="button-other" disabled={act.isBusy} onClick={() => void renew()}>
                  New recovery codes
                </button>
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
              </>
            ) : (
              <button
                type="button"
                className="button-main"
                onClick={() => {
                  setDone(null);
                  setMode('enrol');
                }}
              >
                Set up an authenticator app
              </button>
            )}
          </div>
        </>
      )}
      {mode === 'take-away' && (
        <Dialog
          title="Turn two-step sign-in off?"
          onClose={() => {
            setMode('rest');
          }}
        >
          <p>Whoever learns your password can sign in then. The recovery codes are void, and you are signed out everywhere else.</p>
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
