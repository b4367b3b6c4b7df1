import { Enrolment } from '../parts/enrolment';
import { Entrance } from '../parts/frame';
import { SignOutLink } from '../parts/sign-out-link';
import { stepDone } from '../session';

/** Where the team asks for a second factor, it is set up before anything else. */
export function EnrolPage() {
  return (
    <Entrance title="Set up two-step sign-in" foot={<SignOutLink />}>
      <p className="about">Your team asks for a second factor: beside the password, a code that only your phone can show.</p>
      <Enrolment onDone={stepDone} />
    </Entrance>
  );
}
