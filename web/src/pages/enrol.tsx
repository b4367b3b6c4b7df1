import { useState } from 'react';
import { Enrolment } from '../parts/enrolment';
import { Entrance } from '../parts/frame';
import { NewPasskey } from '../parts/new-passkey';
import { usePasskeysHere } from '../parts/passkey-button';
import { KeepCodes } from '../parts/recovery-codes';
import { SignOutLink } from '../parts/sign-out-link';
import { stepDone } from '../session';

type Way = 'app' | 'passkey';

/** Where the team asks for a second factor, it is set up before anything else. */
export function EnrolPage() {
  const [chosen, setChosen] = useState<Way | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const hasPasskeys = usePasskeysHere();
  const choose = (way: Way | null) => () => {
    setChosen(way);
  };
  return (
    <Entrance title="Set up a second factor" foot={<SignOutLink />}>
      {codes ? (
        <KeepCodes codes={codes} about="Your passkey is ready. When it is not at hand, one of these codes stands in for it." onKept={stepDone} />
      ) : (
        <>
          <p className="about">Your team asks for more than a password: whoever learns that must not get in with it alone.</p>
          {chosen === null && (
            <div className="choices">
              {hasPasskeys && (
                <button type="button" className="choice" onClick={choose('passkey')}>
                  <strong>Passkey</strong>
                  <span>Your finger, your face or the PIN of this device, a phone or a security key. Nobody can trick you out of it.</span>
                </button>
              )}
              <button type="button" className="choice" onClick={choose('app')}>
                <strong>Authenticator app</strong>
                <span>An app on your phone shows a code that you type.</span>
              </button>
            </div>
          )}
          {chosen === 'app' && <Enrolment below="h1" onDone={stepDone} onCancel={choose(null)} />}
          {chosen === 'passkey' && (
            <NewPasskey
              onMade={async ({ recovery_codes }) => {
                if (recovery_codes.length > 0) setCodes(recovery_codes);
                else await stepDone();
              }}
              onCancel={choose(null)}
            />
          )}
        </>
      )}
    </Entrance>
  );
}
