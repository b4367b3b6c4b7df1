import { useAct } from '../../act';
import { api, take } from '../../api/client';
import { browserName } from '../../browser-name';
import { useLoaded } from '../../load';
import { Section, Waiting } from '../../parts/frame';
import { FailureNotice } from '../../parts/notice';
import { Time } from '../../parts/time';

const loadSessions = () => take(api.GET('/auth/sessions'));

export function Sessions() {
  const sessions = useLoaded(loadSessions);
  const act = useAct();
  const end = (id: string) =>
    act.run(async () => {
      await take(api.DELETE('/auth/sessions/{id}', { params: { path: { id } } }));
      await sessions.again();
    });
  const endOthers = () =>
    act.run(async () => {
      await take(api.DELETE('/auth/sessions'));
      await sessions.again();
    });
  const listed = sessions.value ?? [];
  return (
    <Section title="Where you are signed in" about="If there is one you do not know, end it and change your password.">
      <FailureNotice failure={sessions.failure ?? act.failure} />
      {!sessions.value && !sessions.failure && <Waiting what="Looking" />}
      <ul className="rows" aria-label="Sessions">
        {listed.map((session) => (
          <li key={session.id}>
            <div>
              <p className="row-title">
                {browserName(session.user_agent)} {session.is_current && <span className="badge badge-good">This browser</span>}
              </p>
              <p className="quiet">
                {session.ip_address ?? 'Unknown address'} · active <Time at={session.last_activity} /> · signed in <Time at={session.created_at} />
              </p>
            </div>
            {!session.is_current && (
              <button
                type="button"
                className="button-plain"
                disabled={act.isBusy}
                aria-label={`End the session of ${browserName(session.user_agent)}, ${session.ip_address ?? 'unknown address'}`}
                onClick={() => void end(session.id)}
              >
                End
              </button>
            )}
          </li>
        ))}
      </ul>
      {listed.length > 2 && (
        <div className="actions">
          <button type="button" className="button-other" disabled={act.isBusy} onClick={() => void endOthers()}>
            End all others
          </button>
        </div>
      )}
    </Section>
  );
}
