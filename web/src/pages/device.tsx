// Letting a program in that has no browser: whoever has its short code sees what it asks for, and decides.

import { useEffect, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useAct } from '../act';
import { api, take, type Schemas } from '../api/client';
import { Submit } from '../parts/buttons';
import { Field } from '../parts/field';
import { Section, useTitle } from '../parts/frame';
import { DoneNotice, FailureNotice } from '../parts/notice';
import { useProof } from '../parts/proof';
import { Time } from '../parts/time';
import { useSession } from '../session';

type Device = Schemas['DeviceRead'];

/** A program that was looked at, by the code that showed it. */
interface Seen {
  code: string;
  device: Device;
}

interface Decided {
  name: string;
  isIn: boolean;
}

export function DevicePage() {
  useTitle('Let a program in');
  const session = useSession();
  const [query] = useSearchParams();
  const [code, setCode] = useState(query.get('code') ?? '');
  const [seen, setSeen] = useState<Seen | null>(null);
  const [decided, setDecided] = useState<Decided | null>(null);
  if (session.state === 'off') {
    return (
      <>
        <h1>Let a program in</h1>
        <Section title="Nobody to let it in">
          <p>
            A program gets a token of somebody’s, and while sign-in is off nobody says who he is. To let it in all the same,{' '}
            <Link to="/login?return_to=%2Fdevice">sign in first</Link>.
          </p>
        </Section>
      </>
    );
  }
  if (session.state !== 'somebody') return null;
  const decide = (isIn: boolean) => {
    setDecided({ name: seen?.device.name ?? '', isIn });
    setSeen(null);
    setCode('');
  };
  return (
    <>
      <h1>Let a program in</h1>
      <DoneNotice>{decided && <Outcome decided={decided} />}</DoneNotice>
      {seen ? (
        <Decision
          seen={seen}
          email={session.user.email}
          onDecided={decide}
          onBack={() => {
            setSeen(null);
          }}
        />
      ) : (
        <CodeForm
          code={code}
          onCode={setCode}
          onSeen={(next) => {
            setDecided(null);
            setSeen(next);
          }}
        />
      )}
    </>
  );
}

function Outcome({ decided: { name, isIn } }: { decided: Decided }) {
  return isIn ? (
    <p>
      <strong>{name}</strong> is let in: it goes on by itself in a few seconds. Its token stands among{' '}
      <Link to="/settings/account">those of your account</Link>, where you can revoke it.
    </p>
  ) : (
    <p>
      <strong>{name}</strong> is sent away.
    </p>
  );
}

interface CodeFormProps {
  code: string;
  onCode: (code: string) => void;
  onSeen: (seen: Seen) => void;
}

/** A code that came with the address waits here too: whoever decides compares it with what the program shows. */
function CodeForm({ code, onCode, onSeen }: CodeFormProps) {
  const act = useAct();
  const prove = useProof();
  const isWrong = act.failure?.code === 'device_code_wrong';
  return (
    <Section title="Which program?" about="It shows a short code where you started it, as dango login does. Nobody but you should know it.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act.run(async () => {
            const body = { user_code: code };
            onSeen({ code, device: await prove(() => take(api.POST('/auth/device/look', { body }))) });
          });
        }}
      >
        <Field
          label="Code that the program shows"
          className="code-input"
          value={code}
          onValue={onCode}
          required
          autoFocus
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          placeholder="XXXX-XXXX"
          maxLength={32}
          wrong={isWrong ? act.failure?.words : undefined}
        />
        <FailureNotice failure={isWrong ? null : act.failure} />
        <div className="actions">
          <Submit act={act}>Look at it</Submit>
        </div>
      </form>
    </Section>
  );
}

interface DecisionProps {
  seen: Seen;
  email: string;
  onDecided: (isIn: boolean) => void;
  onBack: () => void;
}

function Decision({ seen: { code, device }, email, onDecided, onBack }: DecisionProps) {
  const act = useAct();
  const prove = useProof();
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // It took the place of what had the focus.
    shown.current?.focus();
  }, []);
  const body = { user_code: code };
  const approve = () =>
    act.run(async () => {
      await prove(() => take(api.POST('/auth/device/approve', { body })));
      onDecided(true);
    });
  const deny = () =>
    act.run(async () => {
      await prove(() => take(api.POST('/auth/device/deny', { body })));
      onDecided(false);
    });
  const hasAny = device.scopes.length > 0;
  return (
    <Section title="Is this yours?" about="Let in only what you have just started yourself. If somebody gave you the code, send it away.">
      <div ref={shown} tabIndex={-1} role="group" aria-label="The program that waits">
        <dl className="facts">
          <dt>It calls itself</dt>
          <dd>{device.name}</dd>
          <dt>It asked from</dt>
          <dd>{device.ip_address ?? 'an address that is not known'}</dd>
          <dt>It asked</dt>
          <dd>
            <Time at={device.asked_at} />
          </dd>
          <dt>It may then</dt>
          <dd>
            {hasAny ? (
              <ul className="links" aria-label="What it may then">
                {device.scopes.map((scope) => (
                  <li key={scope}>
                    <code>{scope}</code>
                  </li>
                ))}
              </ul>
            ) : (
              'do nothing: it asks for what your role does not have'
            )}
          </dd>
          <dt>In the name of</dt>
          <dd>{email}</dd>
          <dt>For</dt>
          <dd>{device.expires_in_days === 1 ? '1 day' : `${String(device.expires_in_days)} days`}</dd>
        </dl>
      </div>
      <FailureNotice failure={act.failure} />
      <div className="actions">
        {hasAny && (
          <button type="button" className="button-main" disabled={act.isBusy} onClick={() => void approve()}>
            Let it in
          </button>
        )}
        <button type="button" className="button-bad" disabled={act.isBusy} onClick={() => void deny()}>
          Send it away
        </button>
        <button type="button" className="button-plain" disabled={act.isBusy} onClick={onBack}>
          Another code
        </button>
      </div>
    </Section>
  );
}
