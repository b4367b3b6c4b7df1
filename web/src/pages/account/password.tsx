import { useState } from 'react';
import { Section } from '../../parts/frame';
import { DoneNotice } from '../../parts/notice';
import { PasswordForm } from '../../parts/password-form';

export function Password({ email, onChanged }: { email: string; onChanged: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const [isDone, setDone] = useState(false);
  return (
    <Section title="Password" about="Changing it signs you out everywhere else.">
      <DoneNotice>{isDone && <p>Your password is changed.</p>}</DoneNotice>
      {isOpen ? (
        <>
          <PasswordForm
            email={email}
            isFirst
            onDone={() => {
              setDone(true);
              setOpen(false);
              onChanged();
              return Promise.resolve();
            }}
          />
          <button
            type="button"
            className="button-link"
            onClick={() => {
              setOpen(false);
            }}
          >
            Leave it as it is
          </button>
        </>
      ) : (
        <button
          type="button"
          className="button-other"
          onClick={() => {
            setOpen(true);
            setDone(false);
          }}
        >
          Change password…
        </button>
      )}
    </Section>
  );
}

/** What stands in the place of the password for somebody who has none. */
export function NoPassword() {
  return (
    <Section title="Password">
      <p>You have none: you sign in with a passkey or a linked login.</p>
    </Section>
  );
}
