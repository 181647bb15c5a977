import { signOut } from "../api/session.js";
import { session } from "../state/session.js";
import { Name } from "./name.js";
import "./sign_in.css";

/** Links to the sign-in, if the gateway offers one. */
export function SignInLink() {
  const { signIn } = session.value;
  if (!signIn) return null;
  return (
    <a class="sign-in" href={signIn}>
      Sign in
    </a>
  );
}

/** The person who signed in, with a sign-out button. Empty for all others. */
export function SignedIn() {
  const { person } = session.value;
  if (!person) return null;
  const leave = () => {
    signOut().then(
      () => location.assign("/"),
      // The session continues, as the page shows.
      (error: unknown) => console.error("can't sign out:", error),
    );
  };
  return (
    <span class="signed-in">
      <span>
        Signed in as <Name of={person} />
      </span>
      <button type="button" onClick={leave}>
        Sign out
      </button>
    </span>
  );
}
