import { useEffect, useRef } from 'react';
import { useAct } from '../../act';
import { api, take } from '../../api/client';
import { Section } from '../../parts/frame';
import { FailureNotice } from '../../parts/notice';
import { useProof } from '../../parts/proof';
import { RecoveryCodes } from '../../parts/recovery-codes';

interface Props {
  left: number;
  codes: readonly string[] | null;
  onCodes: (codes: readonly string[] | null) => void;
  onChanged: () => Promise<void>;
}

export function Recovery({ left, codes, onCodes, onChanged }: Props) {
  const act = useAct();
  const prove = useProof();
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // They are shown this once, wherever on the page somebody was.
    if (codes) shown.current?.focus();
  }, [codes]);
  const renew = () =>
    act.run(async () => {
      onCodes((await prove(() => take(api.POST('/auth/2fa/regenerate-recovery')))).recovery_codes);
      await onChanged();
    });
  return (
    <Section title="Recovery codes" about="For the day when neither app nor passkey is at hand. Each is good once.">
      <FailureNotice failure={act.failure} />
      {codes && (
        <div ref={shown} className="notice notice-good" tabIndex={-1} role="group" aria-label="Your new recovery codes">
          <p>
            <strong>Keep these now.</strong> They take the place of any you had before.
          </p>
          <RecoveryCodes codes={codes} />
        </div>
      )}
      <dl className="facts">
        <dt>Recovery codes left</dt>
        <dd>{left}</dd>
      </dl>
      <div className="actions">
        {codes && (
          <button
            type="button"
            className="button-other"
            onClick={() => {
              onCodes(null);
            }}
          >
            I have kept them
          </button>
        )}
        <button type="button" className={codes ? 'button-plain' : 'button-other'} disabled={act.isBusy} onClick={() => void renew()}>
          New recovery codes
        </button>
      </div>
    </Section>
  );
}
