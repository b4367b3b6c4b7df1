import { useState } from 'react';
import { useAct } from '../../act';
import { api, take, type Schemas } from '../../api/client';
import { useLoaded } from '../../load';
import { CopyButton } from '../../parts/buttons';
import { Dialog } from '../../parts/dialog';
import { Section, Waiting } from '../../parts/frame';
import { FailureNotice } from '../../parts/notice';
import { Time } from '../../parts/time';
import { NewToken } from './new-token';

type Token = Schemas['TokenRead'];

const loadTokens = () => take(api.GET('/auth/api-tokens'));

function isGood(token: Token): boolean {
  return !token.revoked_at && !(token.expires_at && Date.parse(token.expires_at) <= Date.now());
}

export function Tokens() {
  const tokens = useLoaded(loadTokens);
  const [isNew, setNew] = useState(false);
  const [made, setMade] = useState<Token | null>(null);
  const [doomed, setDoomed] = useState<Token | null>(null);
  const act = useAct();
  const revoke = (token: Token) =>
    act.run(async () => {
      setDoomed(null);
      await take(api.DELETE('/auth/api-tokens/{id}', { params: { path: { id: token.id } } }));
      if (made?.id === token.id) setMade(null);
      await tokens.again();
    });
  const good = (tokens.value ?? []).filter(isGood);
  return (
    <Section title="API tokens" about="For programs that work for you. A token never may more than you, and cannot make others.">
      <FailureNotice failure={tokens.failure ?? act.failure} />
      {made?.token && (
        <div className="notice notice-good" role="status">
          <p>
            <strong>{made.name}</strong> is ready. Copy it now: it is not shown again.
          </p>
          <p className="token-line">
            <code data-testid="token">{made.token}</code>
            <CopyButton text={made.token}>Copy</CopyButton>
          </p>
        </div>
      )}
      {!tokens.value && !tokens.failure && <Waiting what="Looking" />}
      {tokens.value && good.length === 0 && !isNew && <p className="quiet">There are none.</p>}
      <ul className="rows" aria-label="API tokens">
        {good.map((token) => (
          <li key={token.id}>
            <div>
              <p className="row-title">
                {token.name} <code>dap_{token.prefix}…</code>
              </p>
              <p className="quiet">
                {token.scopes ? token.scopes.join(', ') || 'May nothing' : 'May what you may'} ·{' '}
                {token.expires_at ? (
                  <>
                    expires <Time at={token.expires_at} />
                  </>
                ) : (
                  'never expires'
                )}{' '}
                ·{' '}
                {token.last_used_at ? (
                  <>
                    used <Time at={token.last_used_at} />
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
              aria-label={`Revoke the token ${token.name}`}
              onClick={() => {
                setDoomed(token);
              }}
            >
              Revoke
            </button>
          </li>
        ))}
      </ul>
      {isNew ? (
        <NewToken
          onMade={async (token) => {
            setMade(token);
            setNew(false);
            await tokens.again();
          }}
          onCancel={() => {
            setNew(false);
          }}
        />
      ) : (
        <div className="actions">
          <button
            type="button"
            className="button-other"
            onClick={() => {
              setMade(null);
              setNew(true);
            }}
          >
            New token…
          </button>
        </div>
      )}
      {doomed && (
        <Dialog
          title={`Revoke ${doomed.name}?`}
          onClose={() => {
            setDoomed(null);
          }}
        >
          <p>Programs that use it are refused from now on. This cannot be undone.</p>
          <div className="actions">
            <button type="button" className="button-bad" onClick={() => void revoke(doomed)}>
              Revoke it
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
