// What changes how one signs in takes a fresh proof of who one is. The server says when; then it is asked for here, and
// what was to be done is done after all.

import { createContext, useCallback, useContext, useState, type ReactNode } from 'react';
import { CalledOff, useAct } from '../act';
import { api, take } from '../api/client';
import { failureOf } from '../api/failure';
import { useLoaded } from '../load';
import { Submit } from './buttons';
import { Dialog } from './dialog';
import { CodeField, PasswordField } from './field';
import { FailureNotice } from './notice';

type Prove = <T>(work: () => Promise<T>) => Promise<T>;

interface Question {
  answer: (isProven: boolean) => void;
}

const ProofContext = createContext<Prove | null>(null);

/** Returns what runs something that may take a fresh proof. */
export function useProof(): Prove {
  const prove = useContext(ProofContext);
  if (!prove) throw new Error('useProof stands outside of Proofs');
  return prove;
}

export function Proofs({ children }: { children: ReactNode }) {
  const [question, setQuestion] = useState<Question | null>(null);
  const prove: Prove = useCallback(async (work) => {
    try {
      return await work();
    } catch (thrown) {
      if (failureOf(thrown).code !== 'reauthentication_required') throw thrown;
    }
    const isProven = await new Promise<boolean>((resolve) => {
      setQuestion({ answer: resolve });
    });
    setQuestion(null);
    if (!isProven) throw new CalledOff();
    return work();
  }, []);
  return (
    <ProofContext value={prove}>
      {children}
      {question && <ProofDialog question={question} />}
    </ProofContext>
  );
}

const loadFactors = () => take(api.GET('/auth/2fa'));

function ProofDialog({ question }: { question: Question }) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const act = useAct();
  const { value: factors, failure } = useLoaded(loadFactors);
  const isPasswordWrong = act.failure?.code === 'credentials_wrong';
  const isCodeWrong = act.failure?.code === 'second_factor_wrong';
  const takesCode = factors !== null && (factors.totp_enabled || factors.recovery_codes_left > 0);
  return (
    <Dialog
      title="Is it still you?"
      onClose={() => {
        question.answer(false);
      }}
    >
      <p className="about">Changes to how you sign in need a proof that is a few minutes old at most.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act.run(async () => {
            await take(
              api.POST('/auth/reauthenticate', {
                body: { password: password || null, code: takesCode && code ? code : null },
              }),
            );
            question.answer(true);
          });
        }}
      >
        <PasswordField
          label="Your password"
          value={password}
          onValue={setPassword}
          autoComplete="current-password"
          autoFocus
          wrong={isPasswordWrong ? act.failure?.words : undefined}
        />
        {takesCode && (
          <CodeField
            value={code}
            onValue={setCode}
            hint="A recovery code is good too."
            inputMode="text"
            maxLength={16}
            wrong={isCodeWrong ? act.failure?.words : undefined}
          />
        )}
        <FailureNotice failure={failure ?? (isPasswordWrong || isCodeWrong ? null : act.failure)} />
        <div className="actions">
          <Submit act={act}>Continue</Submit>
          <button
            type="button"
            className="button-plain"
            onClick={() => {
              question.answer(false);
            }}
          >
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
