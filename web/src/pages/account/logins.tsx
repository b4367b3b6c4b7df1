// Logins one has elsewhere, with which one signs in here.

import { useState } from 'react';
import { useAct } from '../../act';
import { api, take, type Schemas } from '../../api/client';
import { Failure } from '../../api/failure';
import { useLoaded } from '../../load';
import { Dialog } from '../../parts/dialog';
import { Section, Waiting } from '../../parts/frame';
import { DoneNotice, FailureNotice } from '../../parts/notice';
import { useProof } from '../../parts/proof';
import { Time } from '../../parts/time';
import { useWays } from '../../ways';

type Login = Schemas['LoginRead'];

const loadLogins = () => take(api.GET('/auth/logins'));

/** How linking went, by what the address said. */
export interface Linking {
  linked: string | null;
  error: string | null;
}

/** Why nothing was linked, by the codes of the server. */
const REFUSED: Readonly<Record<string, string>> = {
  login_refused: 'The other account did not say who you are. Try again, or ask an admin.',
  login_unknown: 'That account may not be used here: the team allows only some addresses. Ask an admin.',
  login_exists: 'That account is linked with somebody else here. He unlinks it first, or an admin does.',
  ceremony_over: 'That took too long, or was begun in another browser. Begin again.',
  reauthentication_required: 'That took too long. Begin again.',
  rate_limited: 'Too many tries. Wait a minute, then try again.',
};

export function Logins({ linking }: { linking: Linking }) {
  const logins = useLoaded(loadLogins);
  const ways = useWays();
  const [doomed, setDoomed] = useState<Login | null>(null);
  const [unlinked, setUnlinked] = useState<string | null>(null);
  const [isOver, setOver] = useState(false);
  const act = useAct();
  const prove = useProof();
  const providers = ways?.oauth ?? [];
  const label = (name: string) => providers.find((provider) => provider.name === name)?.label ?? name;
  const begin = (provider: string) =>
    act.run(async () => {
      setOver(true);
      const { authorization_url } = await prove(() => take(api.POST('/auth/oauth/{provider}/link', { params: { path: { provider } } })));
      if (!/^https?:/.test(authorization_url)) throw new Failure(0, {});
      window.location.assign(authorization_url);
    });
  const unlink = ({ id, oauth_name }: Login) =>
    act.run(async () => {
      setDoomed(null);
      setOver(true);
      setUnlinked(null);
      await prove(() => take(api.DELETE('/auth/logins/{id}', { params: { path: { id } } })));
      await logins.again();
      setUnlinked(oauth_name);
    });
  const listed = logins.value ?? [];
  const said = !isOver && linking.linked ? `${label(linking.linked)} is linked: you can sign in with it.` : unlinked && `${label(unlinked)} is unlinked.`;
  if (providers.length === 0 && listed.length === 0 && !logins.failure) return null;
  return (
    <Section title="Linked logins" about="Accounts you have elsewhere, with which you sign in here instead of the password.">
      <DoneNotice>{said && <p>{said}</p>}</DoneNotice>
      {!isOver && linking.error && (
        <div role="alert" className="notice notice-bad">
          <p>{REFUSED[linking.error] ?? 'Linking the other account did not work. Try again, or ask an admin.'}</p>
        </div>
      )}
      <FailureNotice failure={logins.failure ?? act.failure} />
      {!logins.value && !logins.failure && <Waiting what="Looking" />}
      {logins.value && listed.length === 0 && <p className="quiet">There are none.</p>}
      <ul className="rows" aria-label="Linked logins">
        {listed.map((login) => (
          <li key={login.id}>
            <div>
              <p className="row-title">
                {label(login.oauth_name)} <span className="row-more">{login.account_email ?? login.account_id}</span>
              </p>
              <p className="quiet">
                linked <Time at={login.linked_at} /> ·{' '}
                {login.last_used_at ? (
                  <>
                    used <Time at={login.last_used_at} />
                  </>
                ) : (
                  'never used'
                )}
              </p>
            </div>
            <button
              type="button"
              className="button-plain"
              disabled={act.isBusy}
              aria-label={`Unlink ${label(login.oauth_name)}, ${login.account_email ?? login.account_id}`}
              onClick={() => {
                setDoomed(login);
              }}
            >
              Unlink
            </button>
          </li>
        ))}
      </ul>
      {providers.length > 0 && (
        <div className="actions">
          {providers.map(({ name, label }) => (
            <button key={name} type="button" className="button-other" disabled={act.isBusy} onClick={() => void begin(name)}>
              Link {label}…
            </button>
          ))}
        </div>
      )}
      {doomed && (
        <Dialog
          title={`Unlink ${label(doomed.oauth_name)}?`}
          onClose={() => {
            setDoomed(null);
          }}
        >
          <p>You cannot sign in here with {doomed.account_email ?? 'that account'} any more. The account itself stays as it is.</p>
          <div className="actions">
            <button type="button" className="button-bad" onClick={() => void unlink(doomed)}>
              Unlink it
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
