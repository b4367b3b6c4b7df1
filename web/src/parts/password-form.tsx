// Changing one's own password, wherever it is done.

import { useState } from 'react';
import { useAct } from '../act';
import { api, take } from '../api/client';
import { Submit } from './buttons';
import { PasswordField } from './field';
import { isAboutNewPassword, NewPassword } from './new-password';
import { FailureNotice } from './notice';
import { useProof } from './proof';

interface Props {
  email: string;
  isFirst?: boolean;
  onDone: () => Promise<void>;
}

export function PasswordForm({ email, isFirst = false, onDone }: Props) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const act = useAct();
  const prove = useProof();
  const isCurrentWrong = act.failure?.code === 'credentials_wrong';
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void act.run(async () => {
          const body = { current_password: current, new_password: next };
          await prove(() => take(api.POST('/auth/change-password', { body })));
          setCurrent('');
          setNext('');
          await onDone();
        });
      }}
    >
      <input type="email" className="off-screen" value={email} readOnly autoComplete="username" tabIndex={-1} aria-hidden="true" />
      <PasswordField
        label="Current password"
        value={current}
        onValue={setCurrent}
        autoComplete="current-password"
        required
        autoFocus={isFirst}
        wrong={isCurrentWrong ? act.failure?.words : undefined}
      />
      <NewPassword value={next} onValue={setNext} failure={act.failure} />
      <FailureNotice failure={isCurrentWrong || isAboutNewPassword(act.failure) ? null : act.failure} />
      <div className="actions">
        <Submit act={act}>Change the password</Submit>
      </div>
    </form>
  );
}
