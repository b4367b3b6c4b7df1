// Second factors: the app, passkeys, and the recovery codes that stand in for either.

import { useCallback, useState } from 'react';
import { api, take } from '../../api/client';
import { useLoaded } from '../../load';
import { Section, Waiting } from '../../parts/frame';
import { FailureNotice } from '../../parts/notice';
import { look } from '../../session';
import { Authenticator } from './authenticator';
import { Passkeys } from './passkeys';
import { Recovery } from './recovery';

const loadFactors = () => take(api.GET('/auth/2fa'));

export function Factors({ onChanged }: { onChanged: () => void }) {
  const { value: factors, failure, again } = useLoaded(loadFactors);
  // Of all that were shown, the newest alone are good.
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const changed = useCallback(async () => {
    await Promise.all([again(), look()]);
    onChanged();
  }, [again, onChanged]);
  if (!factors) {
    return (
      <Section title="Second factors">
        <FailureNotice failure={failure} />
        {!failure && <Waiting what="Looking" />}
      </Section>
    );
  }
  const forget = () => {
    setCodes(null);
  };
  const hasOne = factors.totp_enabled || factors.passkeys > 0;
  return (
    <>
      <Passkeys
        onCodes={setCodes}
        onChanged={async (left) => {
          if (left === 0 && !factors.totp_enabled) forget();
          await changed();
        }}
      />
      <Authenticator factors={factors} onCodesVoid={forget} onChanged={changed} />
      {hasOne && <Recovery left={factors.recovery_codes_left} codes={codes} onCodes={setCodes} onChanged={changed} />}
    </>
  );
}
