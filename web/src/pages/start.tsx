import { Link } from 'react-router';
import { api, take } from '../api/client';
import { useLoaded } from '../load';
import { Section, useTitle } from '../parts/frame';
import { FailureNotice } from '../parts/notice';
import { useSession } from '../session';

const loadStatus = () => take(api.GET('/status'));

function uptime(seconds: number): string {
  const units = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor(seconds / 3_600), 'hour'],
    [Math.floor(seconds / 60), 'minute'],
  ] as const;
  const [count, unit] = units.find(([count]) => count > 0) ?? [0, 'minute'];
  return count === 0 ? 'less than a minute' : `${String(count)} ${unit}${count === 1 ? '' : 's'}`;
}

export function StartPage() {
  useTitle('Start');
  const session = useSession();
  const { value: status, failure } = useLoaded(loadStatus);
  const user = session.state === 'somebody' ? session.user : null;
  return (
    <>
      <h1>{user ? `Hello, ${user.email.split('@')[0] ?? ''}` : 'Hello'}</h1>
      <p className="lead">
        {user ? (
          <>
            You are signed in as <strong>{user.email}</strong>, with the role <strong>{user.role}</strong>.
          </>
        ) : (
          'You are here without a name: sign-in is off.'
        )}
      </p>
      <FailureNotice failure={failure} />
      {status && (
        <Section title="Server">
          <dl className="facts">
            <dt>Version</dt>
            <dd>{status.dango_version}</dd>
            <dt>Running for</dt>
            <dd>{uptime(status.uptime_seconds)}</dd>
            <dt>Sources</dt>
            <dd>{status.sources.length === 0 ? 'None yet' : String(status.sources.length)}</dd>
            <dt>Syncs now</dt>
            <dd>{status.syncs_running}</dd>
          </dl>
        </Section>
      )}
      <Section title="Where to go">
        <ul className="links">
          {user && (
            <li>
              <Link to="/settings/account">Your account</Link>
              <span>Password, second factors, passkeys, sessions and API tokens</span>
            </li>
          )}
          {user && (
            <li>
              <Link to="/device">Let a program in</Link>
              <span>One that shows a short code, as dango login does</span>
            </li>
          )}
          <li>
            <a href="/api/openapi.json">The API</a>
            <span>What programs can ask for, as OpenAPI 3.1</span>
          </li>
        </ul>
        <p className="quiet">
          Sources, syncs and queries are worked with in the terminal: <code>dango --help</code>.
        </p>
      </Section>
    </>
  );
}
