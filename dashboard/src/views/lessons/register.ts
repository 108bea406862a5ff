import { batches } from "./course/batches";
import { correlation } from "./course/correlation";
import { line } from "./course/line";
import { logistic } from "./course/logistic";
import { optimizers } from "./course/optimizers";
import { rate } from "./course/rate";
import { scaling } from "./course/scaling";
import type { Lesson } from "./lesson";

/** Every lesson, in the order of the course: a new one is a file in course/ and its name here. */
export const LESSONS: Lesson[] = [correlation, line, rate, batches, scaling, logistic, optimizers];
