/** The lessons: the list of them, and each at an address of its own with a seed. */
import { useRoute } from "preact-iso";
import { NotFound } from "../NotFound";
import { LessonPage } from "./LessonPage";
import { LessonsList } from "./LessonsList";
import "./lessons.css";
import { LESSONS } from "./register";

export default function Lessons() {
  const { params } = useRoute();
  const name = params.lesson;
  if (!name) return <LessonsList />;
  const place = LESSONS.findIndex((lesson) => lesson.name === name);
  return place < 0 ? <NotFound /> : <LessonPage key={name} place={place} />;
}
