// What changes how one signs in takes a fresh proof of who one is. The server says when; then it is asked for here, and
// what was to be done is done after all.

import { createContext, useCallback, useContext, useState, type ReactNode } from 'react';
import { CalledOff, useAct } from '../act';
import { api, take, type Schemas } from '../api/client';
import { failureOf } from '../api/failure';
import { proveByPasskey } from '../api/passkeys';
import { useLoaded } from '../load';
import { signOut, useHasPassword } from '../session';
import { Submit } from './buttons';
import { Dialog } from './dialog';
import { CodeField, PasswordField } from './field';
import { Waiting } from './frame';
import { FailureNotice } from './notice';
import { PasskeyButton, usePasskeysHere } from './passkey-button';

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
  const factors = useLoaded(loadFactors);
  const hasPasskeysHere = usePasskeysHere();
  const callOff = () => {
    question.answer(false);
  };
  return (
    <Dialog title="Is it still you?" onClose={callOff}>
      <p className="about">This needs a proof of who you are that is a few minutes old at most.</p>
      <FailureNotice failure={factors.failure} />
      {factors.value ? (
        <Proof factors={factors.value} withPasskey={hasPasskeysHere && factors.value.passkeys > 0} question={question} />
      ) : (
        <>
          {!factors.failure && <Waiting what="Looking how you can show it" />}
          <div className="actions">
            <button type="button" className="button-plain" onClick={callOff}>
              Cancel
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Proof({ factors, withPasskey, question }: { factors: Schemas['Factors']; withPasskey: boolean; question: Question }) {
  const hasPassword = useHasPassword();
  if (!hasPassword && !takesCodes(factors)) return <NothingToShow question={question} />;
  return (
    <>
      {withPasskey && (
        <div className="other-ways">
          <PasskeyButton
            isMain
            show={async () => {
              await proveByPasskey();
              question.answer(true);
            }}
          />
          <p className="divider">or</p>
        </div>
      )}
      <ProofForm factors={factors} isFirst={!withPasskey} question={question} />
    </>
  );
}

function takesCodes(factors: Schemas['Factors']): boolean {
  return factors.totp_enabled || factors.passkeys > 0;
}

/** Whoever signs in elsewhere alone shows who he is there. */
function NothingToShow({ question }: { question: Question }) {
  const act = useAct();
  return (
    <>
      <p>You sign in with a linked login, so there is nothing here that you could show. Sign out and in again, then go on.</p>
      <FailureNotice failure={act.failure} />
      <div className="actions">
        <button
          type="button"
          className="button-main"
          disabled={act.isBusy}
          onClick={() =>
            void act.run(async () => {
              await signOut();
              question.answer(false);
            })
          }
        >
          Sign out
        </button>
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
    </>
  );
}

function ProofForm({ factors, isFirst, question }: { factors: Schemas['Factors']; isFirst: boolean; question: Question }) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const act = useAct();
  const isPasswordWrong = act.failure?.code === 'credentials_wrong';
  const isCodeWrong = act.failure?.code === 'second_factor_wrong';
  const hasPassword = useHasPassword();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void act.run(async () => {
          const body = { password: password || null, code: code.trim() || null };
          await take(api.POST('/auth/reauthenticate', { body }));
          question.answer(true);
        });
      }}
    >
      {hasPassword && (
        <PasswordField
          label="Your password"
          value={password}
          onValue={setPassword}
          autoComplete="current-password"
          autoFocus={isFirst}
          wrong={isPasswordWrong ? act.failure?.words : undefined}
        />
      )}
      {takesCodes(factors) && (
        <CodeField
          autoFocus={isFirst && !hasPassword}
          isRecovery={!factors.totp_enabled}
          value={code}
          onValue={setCode}
          hint={factors.totp_enabled ? 'A recovery code is good too.' : 'It is used up by this.'}
          inputMode="text"
          maxLength={16}
          wrong={isCodeWrong ? act.failure?.words : undefined}
        />
      )}
      <FailureNotice failure={isPasswordWrong || isCodeWrong ? null : act.failure} />
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
  );
}
